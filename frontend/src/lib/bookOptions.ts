/** Options of printed books: fields, their valid ranges, and their storage; pure functions. Lengths in mm. */
import type { components } from "@/api/schema";
import { isRecord, parseNumber } from "./options";

export type BookOptions = components["schemas"]["BookOptions"];

export const PAPERS = ["A5", "A4", "A3", "Letter", "custom"] as const;
export const ORIENTATIONS = ["auto", "portrait", "landscape"] as const;
export const BACKS = ["printed", "blank"] as const;
export const COPIES = ["repeat", "note"] as const;
export const FONTS = ["Nunito", "DejaVu Sans"] as const;
export const LAYOUTS = ["auto", "one", "two", "four"] as const;

const SIDE = { min: 50, max: 1200, step: 1 } as const;
export const LENGTHS = {
  width_mm: SIDE,
  height_mm: SIDE,
  bleed_mm: { min: 0, max: 5, step: 0.5 },
  inner_margin_mm: { min: 0, max: 40, step: 1 },
} as const;
export type LengthName = keyof typeof LENGTHS;
const LENGTH_NAMES = Object.keys(LENGTHS) as LengthName[];

/** The form's values. Lengths are as typed: an empty field is "". */
export type BookForm = Omit<BookOptions, LengthName> & Record<LengthName, string>;

/** ISO 216; ANSI/ASME Y14.1 for Letter. */
const SIZES = { A5: [148, 210], A4: [210, 297], A3: [297, 420], Letter: [215.9, 279.4] } as const;
/** Space for crop marks around the bleed, as in `book/paper.py` of the orders service. */
const MARKS_MM = 12;
/** Unprintable edge, space for page numbers, and the least printable width and height, as there. */
const MARGIN_MM = 10;
const NUMBERS_MM = 6;
export const MIN_PRINTABLE_MM = 30;

const asText = (length: number | null | undefined): string => (length == null ? "" : String(length));

export function formOf(options: BookOptions): BookForm {
  return {
    ...options,
    width_mm: asText(options.width_mm),
    height_mm: asText(options.height_mm),
    bleed_mm: asText(options.bleed_mm),
    inner_margin_mm: asText(options.inner_margin_mm),
  };
}

/** The lengths that count: the sides of the paper only if it is custom. */
function usedLengths({ paper }: BookForm): LengthName[] {
  return LENGTH_NAMES.filter((name) => paper === "custom" || !(name === "width_mm" || name === "height_mm"));
}

/** The lengths that are no numbers within their ranges. */
export function lengthsOutOfRange(form: BookForm): LengthName[] {
  return usedLengths(form).filter((name) => parseNumber(form[name], LENGTHS[name]) === undefined);
}

/** Whether the margins leave the least printable area; the service refuses less. */
function hasPrintableArea(form: BookForm): boolean {
  const [width, height] = trimmedSize(form.paper, form.orientation, [+form.width_mm, +form.height_mm]);
  const numbers = form.has_numbers ? NUMBERS_MM : 0;
  const printable = [width - 2 * MARGIN_MM - +form.inner_margin_mm, height - 2 * MARGIN_MM - numbers];
  return Math.min(...printable) >= MIN_PRINTABLE_MM;
}

/** The form's invalid lengths; the inner margin also if it leaves too little to print on. */
export function invalidLengths(form: BookForm): LengthName[] {
  const names = lengthsOutOfRange(form);
  return names.length > 0 || hasPrintableArea(form) ? names : ["inner_margin_mm"];
}

/** The options to send; undefined while a length is invalid. */
export function optionsOf(form: BookForm): BookOptions | undefined {
  if (invalidLengths(form).length > 0) return undefined;
  const used = usedLengths(form);
  const value = (name: LengthName) =>
    used.includes(name) ? (parseNumber(form[name], LENGTHS[name]) ?? null) : null;
  return {
    ...form,
    width_mm: value("width_mm"),
    height_mm: value("height_mm"),
    bleed_mm: value("bleed_mm") ?? 0,
    inner_margin_mm: value("inner_margin_mm") ?? 0,
  };
}

/** The form with another paper; custom paper begins with the size of the previous one. */
export function withPaper(form: BookForm, paper: BookOptions["paper"]): BookForm {
  if (paper !== "custom" || form.paper === "custom") return { ...form, paper };
  const [width, height] = SIZES[form.paper];
  return { ...form, paper, width_mm: form.width_mm || `${width}`, height_mm: form.height_mm || `${height}` };
}

/** Width and height of a trimmed sheet; `custom` are the sides of custom paper. */
function trimmedSize(
  paper: BookOptions["paper"],
  orientation: BookOptions["orientation"],
  custom: readonly [number, number],
): [number, number] {
  const sides = paper === "custom" ? custom : SIZES[paper];
  const [shorter, longer] = [Math.min(...sides), Math.max(...sides)];
  return orientation === "landscape" ? [longer, shorter] : [shorter, longer];
}

/** Width and height of the PDF's pages, with bleed and crop marks. */
export function pageSize(options: BookOptions): [number, number] {
  const custom = [options.width_mm ?? 1, options.height_mm ?? 1] as const;
  const [width, height] = trimmedSize(options.paper, options.orientation, custom);
  const around = 2 * (options.bleed_mm + (options.has_crop_marks ? MARKS_MM : 0));
  return [width + around, height + around];
}

export function isSame(one: BookOptions, other: BookOptions): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof BookOptions>;
  return [...names].every((name) => (one[name] ?? null) === (other[name] ?? null));
}

const STORAGE_KEY = "pastelka.book";

/** Store what differs from the defaults, so that a later change of the settings takes effect. */
export function rememberBookOptions(options: BookOptions, defaults: BookOptions, storage: Storage): void {
  const names = Object.keys(options) as (keyof BookOptions)[];
  const own = names.filter((name) => (options[name] ?? null) !== (defaults[name] ?? null));
  try {
    storage.setItem(
      STORAGE_KEY,
      JSON.stringify(Object.fromEntries(own.map((name) => [name, options[name]]))),
    );
  } catch {
    // If the storage is full or forbidden, the choice is not stored.
  }
}

const isOneOf = (allowed: readonly unknown[]) => (value: unknown) => allowed.includes(value);
const isBoolean = (value: unknown) => typeof value === "boolean";
const isWithin = (name: LengthName) => (value: unknown) =>
  typeof value === "number" && parseNumber(String(value), LENGTHS[name]) !== undefined;

const CHECKS: Record<keyof BookOptions, (value: unknown) => boolean> = {
  paper: isOneOf(PAPERS),
  width_mm: isWithin("width_mm"),
  height_mm: isWithin("height_mm"),
  orientation: isOneOf(ORIENTATIONS),
  bleed_mm: isWithin("bleed_mm"),
  has_crop_marks: isBoolean,
  inner_margin_mm: isWithin("inner_margin_mm"),
  backs: isOneOf(BACKS),
  has_numbers: isBoolean,
  has_cover_photo: isBoolean,
  has_photo_page: isBoolean,
  copies: isOneOf(COPIES),
  font: isOneOf(FONTS),
};

/** The stored options, without what is invalid; the API completes them with the defaults. */
export function recallBookOptions(storage: Storage): Partial<BookOptions> {
  const entries = Object.entries(readStored(storage)).filter(([name, value]) => isValid(name, value));
  const { paper, width_mm, height_mm, ...found } = Object.fromEntries(entries) as Partial<BookOptions>;
  if (paper === undefined) return found;
  if (paper !== "custom") return { ...found, paper };
  return width_mm != null && height_mm != null ? { ...found, paper, width_mm, height_mm } : found;
}

/** The defaults with the stored options; only the defaults if the service would refuse both together. */
export function rememberedOptions(defaults: BookOptions, storage: Storage): BookOptions {
  const options = { ...defaults, ...recallBookOptions(storage) };
  return optionsOf(formOf(options)) ? options : defaults;
}

const isValid = (name: string, value: unknown) =>
  Object.hasOwn(CHECKS, name) && CHECKS[name as keyof BookOptions](value);

function readStored(storage: Storage): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(storage.getItem(STORAGE_KEY) ?? "{}");
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
