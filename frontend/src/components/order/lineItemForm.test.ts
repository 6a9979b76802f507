import { describe, expect, it } from "vitest";
import { differences, invalidFields, patchOf, textsOf } from "./lineItemForm";

const ITEM = { title: "Omalovánky", quantity: 2, dedication: null, layout: null };

describe("the form of a line item", () => {
  it("sends only what was changed, and empties what was left empty", () => {
    const texts = textsOf(ITEM);
    expect(patchOf(texts, ITEM)).toEqual({});
    expect(patchOf({ ...texts, title: " Pro Aničku ", quantity: "3" }, ITEM)).toEqual({
      title: "Pro Aničku",
      quantity: 3,
    });
    const full = { ...ITEM, dedication: "Pro tebe", layout: "two" };
    expect(patchOf(texts, full)).toEqual({ dedication: null, layout: null });
  });

  it("names the values in which another item differs", () => {
    expect(differences(ITEM, { ...ITEM, quantity: 5, dedication: "Ahoj" })).toEqual({
      quantity: "5",
      dedication: "Ahoj",
    });
    expect(differences(ITEM, { ...ITEM, layout: "auto" })).toEqual({});
  });

  it.each([
    [{ title: " " }, ["title"]],
    [{ quantity: "0" }, ["quantity"]],
    [{ quantity: "1000" }, ["quantity"]],
    [{ quantity: "1.5", title: "" }, ["title", "quantity"]],
    [{ quantity: "999" }, []],
  ])("with %j has the invalid fields %j", (change, fields) => {
    expect(invalidFields({ ...textsOf(ITEM), ...change })).toEqual(fields);
  });
});
