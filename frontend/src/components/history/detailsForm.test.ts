import { describe, expect, it } from "vitest";
import { collisions, differences, patchOf, textsOf } from "./detailsForm";

const state = { customer_name: "Jana", note: null, assignee: "Eva" };

describe("the form of an order's details", () => {
  it("sends what differs, and clears an emptied field", () => {
    const texts = { ...textsOf(state), assignee: " ", note: " Volat " };
    const changed = differences(textsOf(state), texts);
    expect(patchOf(changed)).toEqual({ assignee: null, note: "Volat" });
  });

  it("collides only where two persons wrote different texts", () => {
    const theirs = { customer_name: "Karel", note: "Volat", assignee: "Ota" };
    expect(collisions(theirs, { customer_name: "Petr", note: "Volat" })).toEqual({ customer_name: "Karel" });
  });
});
