import { beforeEach, describe, expect, it } from "vitest";
import { BOOK_OPTIONS } from "@/test/bookSamples";
import {
  formOf,
  invalidLengths,
  isSame,
  optionsOf,
  pageSize,
  recallBookOptions,
  rememberedOptions,
  rememberBookOptions,
  withPaper,
} from "./bookOptions";

beforeEach(() => localStorage.clear());

const CUSTOM = { ...BOOK_OPTIONS, paper: "custom", width_mm: 200, height_mm: 250 } as const;

describe("the form of a book's options", () => {
  it("becomes the same options again", () => {
    for (const options of [BOOK_OPTIONS, CUSTOM]) expect(optionsOf(formOf(options))).toEqual(options);
  });

  it("begins custom paper with the size of the paper before, and sends no size of any other", () => {
    const custom = withPaper(formOf(BOOK_OPTIONS), "custom");
    expect(optionsOf(custom)).toMatchObject({ paper: "custom", width_mm: 210, height_mm: 297 });
    expect(optionsOf(withPaper(custom, "A5"))).toMatchObject({
      paper: "A5",
      width_mm: null,
      height_mm: null,
    });
  });

  it.each([
    ["width_mm", "49"],
    ["height_mm", ""],
    ["bleed_mm", "5.1"],
    ["inner_margin_mm", "-1"],
  ] as const)("names an invalid length: %s %j", (name, text) => {
    const form = { ...formOf(CUSTOM), [name]: text };
    expect(invalidLengths(form)).toEqual([name]);
    expect(optionsOf(form)).toBeUndefined();
  });

  it.each([
    [{ width_mm: "60", inner_margin_mm: "10" }, true],
    [{ width_mm: "60", inner_margin_mm: "20" }, false],
    [{ width_mm: "60", inner_margin_mm: "20", orientation: "landscape" }, true],
    [{ width_mm: "50", height_mm: "50" }, true],
    [{ width_mm: "50", height_mm: "50", has_numbers: true }, false],
  ] as const)("has the room that the service demands: %j", (change, isRoomy) => {
    const form = { ...formOf({ ...CUSTOM, inner_margin_mm: 0 }), ...change };
    expect(invalidLengths(form)).toEqual(isRoomy ? [] : ["inner_margin_mm"]);
    expect(optionsOf(form) !== undefined).toBe(isRoomy);
  });
});

describe("the size of the PDF's pages", () => {
  it.each([
    [{}, [210, 297]],
    [{ orientation: "landscape" }, [297, 210]],
    [{ bleed_mm: 3, has_crop_marks: true }, [240, 327]],
    [{ ...CUSTOM, width_mm: 250, height_mm: 200 }, [200, 250]],
  ] as const)("with %j is %j mm", (change, size) => {
    expect(pageSize({ ...BOOK_OPTIONS, ...change })).toEqual(size);
  });
});

describe("remembered options", () => {
  it("are what differs from the defaults, which may change later", () => {
    rememberBookOptions({ ...BOOK_OPTIONS, paper: "A5", bleed_mm: 3 }, BOOK_OPTIONS, localStorage);
    expect(recallBookOptions(localStorage)).toEqual({ paper: "A5", bleed_mm: 3 });
    rememberBookOptions(CUSTOM, BOOK_OPTIONS, localStorage);
    expect(recallBookOptions(localStorage)).toEqual({ paper: "custom", width_mm: 200, height_mm: 250 });
  });

  it("are the defaults if the service would refuse them", () => {
    rememberBookOptions({ ...CUSTOM, width_mm: 60, inner_margin_mm: 20 }, BOOK_OPTIONS, localStorage);
    expect(rememberedOptions(BOOK_OPTIONS, localStorage)).toEqual(BOOK_OPTIONS);
    rememberBookOptions(CUSTOM, BOOK_OPTIONS, localStorage);
    expect(rememberedOptions(BOOK_OPTIONS, localStorage)).toEqual(CUSTOM);
  });

  it("leave out what is invalid", () => {
    const stored = {
      paper: "custom",
      width_mm: 200,
      bleed_mm: 9,
      font: "Comic Sans",
      has_numbers: true,
      x: 1,
    };
    localStorage.setItem("pastelka.book", JSON.stringify(stored));
    expect(recallBookOptions(localStorage)).toEqual({ has_numbers: true });
    for (const broken of ["not json", "[]", "null"]) {
      localStorage.setItem("pastelka.book", broken);
      expect(recallBookOptions(localStorage)).toEqual({});
    }
  });
});

it("options are the same if no value differs, missing ones being null", () => {
  const { width_mm, ...withoutWidth } = BOOK_OPTIONS;
  expect(width_mm).toBeNull();
  expect(isSame(BOOK_OPTIONS, withoutWidth)).toBe(true);
  expect(isSame(BOOK_OPTIONS, { ...BOOK_OPTIONS, bleed_mm: 1 })).toBe(false);
});
