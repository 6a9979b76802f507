/** Options of pages and SVGs: presets, custom values, and their storage; pure functions. */

export const PRESETS = {
  quick: { megapixels: 1, steps: 4 },
  fine: { megapixels: 2, steps: 4 },
  best: { megapixels: 4, steps: 8 },
} as const;

export type Preset = keyof typeof PRESETS | "own";
export const PRESET_NAMES: readonly Preset[] = ["quick", "fine", "best", "own"];

export const SHAPE_STACKINGS = ["stacked", "cutouts", "none"] as const;
export const GROUPINGS = ["color", "layer", "parent", "none"] as const;

export const MEGAPIXELS = { min: 0.5, max: 8, step: 0.5 } as const;
export const STEPS = { min: 1, max: 20, step: 1 } as const;

export interface ColoringOptions {
  megapixels: number;
  steps: number;
}

export interface SvgOptions {
  shape_stacking: (typeof SHAPE_STACKINGS)[number];
  group_by: (typeof GROUPINGS)[number];
}

/** The options to send; no coloring options while a field of the form is invalid. */
export interface OptionsToSend {
  coloring: ColoringOptions | undefined;
  svg: SvgOptions;
}

/** The form's values. Numbers are as typed: an empty field is "", never NaN or null. */
export interface OptionsForm {
  preset: Preset;
  megapixels: string;
  steps: string;
  svg: SvgOptions;
}

export const DEFAULT_FORM: OptionsForm = {
  preset: "quick",
  megapixels: "1",
  steps: "4",
  svg: { shape_stacking: "stacked", group_by: "color" },
};

export type OptionsError = "megapixels" | "steps";

/** Parses a number with a decimal comma or point; undefined if it is invalid or out of range. */
export function parseNumber(text: string, range: { min: number; max: number }): number | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return value >= range.min && value <= range.max ? value : undefined;
}

/** The options to send, or the invalid fields. */
export function coloringOptions(form: OptionsForm): ColoringOptions | { errors: OptionsError[] } {
  if (form.preset !== "own") return { ...PRESETS[form.preset] };
  const megapixels = parseNumber(form.megapixels, MEGAPIXELS);
  const steps = parseNumber(form.steps, STEPS);
  const whole = steps !== undefined && Number.isInteger(steps) ? steps : undefined;
  if (megapixels !== undefined && whole !== undefined) return { megapixels, steps: whole };
  const errors: OptionsError[] = [];
  if (megapixels === undefined) errors.push("megapixels");
  if (whole === undefined) errors.push("steps");
  return { errors };
}

/** The options of pages and SVGs from the form. */
export function optionsToSend(form: OptionsForm): OptionsToSend {
  const coloring = coloringOptions(form);
  return { coloring: "errors" in coloring ? undefined : coloring, svg: form.svg };
}

const STORAGE_KEY = "pastelka.options";

export function rememberOptions(form: OptionsForm, storage: Storage): void {
  try {
    storage.setItem(STORAGE_KEY, JSON.stringify(form));
  } catch {
    // If the storage is full or forbidden, the choice is not stored.
  }
}

/** The stored options; each invalid field falls back to its default. */
export function recallOptions(storage: Storage): OptionsForm {
  const stored = readStored(storage);
  const svg = isRecord(stored.svg) ? stored.svg : {};
  return {
    preset: oneOf(PRESET_NAMES, stored.preset, DEFAULT_FORM.preset),
    megapixels: validOr(stored.megapixels, MEGAPIXELS, DEFAULT_FORM.megapixels),
    steps: validOr(stored.steps, STEPS, DEFAULT_FORM.steps),
    svg: {
      shape_stacking: oneOf(SHAPE_STACKINGS, svg.shape_stacking, DEFAULT_FORM.svg.shape_stacking),
      group_by: oneOf(GROUPINGS, svg.group_by, DEFAULT_FORM.svg.group_by),
    },
  };
}

function readStored(storage: Storage): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(storage.getItem(STORAGE_KEY) ?? "{}");
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function oneOf<T extends string>(allowed: readonly T[], value: unknown, otherwise: T): T {
  return allowed.find((candidate) => candidate === value) ?? otherwise;
}

function validOr(value: unknown, range: { min: number; max: number }, otherwise: string): string {
  return typeof value === "string" && parseNumber(value, range) !== undefined ? value : otherwise;
}
