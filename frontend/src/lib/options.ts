/** Options of pages and SVGs: presets, custom values, and their storage; pure functions. */

import type { Presets } from "./api";

export type Preset = Presets["items"][number]["name"] | "own";

export const BACKGROUNDS = ["keep", "quiet", "none"] as const;
export const LINE_WEIGHTS = ["thin", "normal", "bold"] as const;
export const SHAPE_STACKINGS = ["stacked", "cutouts", "none"] as const;
export const GROUPINGS = ["color", "layer", "parent", "none"] as const;

export const MEGAPIXELS = { min: 0.5, max: 8, step: 0.5 } as const;
export const STEPS = { min: 1, max: 20, step: 1 } as const;

/** Options of style are there only where they differ from their default. */
export interface ColoringOptions {
  megapixels: number;
  steps: number;
  frame?: boolean | null;
  background?: (typeof BACKGROUNDS)[number] | null;
  line_weight?: (typeof LINE_WEIGHTS)[number] | null;
}

/** Whether pages can be requested, now or as soon as the presets are loaded. */
export const canRequestPages = ({ coloring, waiting }: OptionsToSend): boolean =>
  coloring !== undefined || waiting !== undefined;

/** How a page is drawn, apart from size and detail. */
export interface Style {
  frame: boolean;
  background: (typeof BACKGROUNDS)[number];
  line_weight: (typeof LINE_WEIGHTS)[number];
}

export const DEFAULT_STYLE: Style = { frame: true, background: "quiet", line_weight: "normal" };

export interface SvgOptions {
  shape_stacking: (typeof SHAPE_STACKINGS)[number];
  group_by: (typeof GROUPINGS)[number];
}

/** The options to send; no coloring options while a field of the form is invalid or the preset is unknown. */
export interface OptionsToSend {
  coloring: ColoringOptions | undefined;
  /** The form, if it is valid, while the API has not listed the presets: `coloringToSend` waits for them. */
  waiting?: OptionsForm | undefined;
  svg: SvgOptions;
  /** The options that the provider takes. */
  taken: readonly string[];
}

/** The form's values. Numbers are as typed: an empty field is "", never NaN or null. */
export interface OptionsForm {
  preset: Preset;
  megapixels: string;
  steps: string;
  style: Style;
  svg: SvgOptions;
}

export const DEFAULT_FORM: OptionsForm = {
  preset: "quick",
  megapixels: "1",
  steps: "4",
  style: DEFAULT_STYLE,
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

/** The options to send, or the invalid fields (none for a preset that the API does not list). */
export function coloringOptions(
  form: OptionsForm,
  presets: Presets | undefined,
): ColoringOptions | { errors: OptionsError[] } {
  if (form.preset !== "own")
    return presets?.items.find(({ name }) => name === form.preset)?.options ?? { errors: [] };
  return ownOptions(form, presets?.options ?? []);
}

/** The custom options; of the style only those that the provider supports (`taken`). */
export function ownOptions(
  form: OptionsForm,
  taken: readonly string[],
): ColoringOptions | { errors: OptionsError[] } {
  const megapixels = parseNumber(form.megapixels, MEGAPIXELS);
  const steps = parseNumber(form.steps, STEPS);
  const whole = steps !== undefined && Number.isInteger(steps) ? steps : undefined;
  if (megapixels !== undefined && whole !== undefined)
    return { megapixels, steps: whole, ...changedStyle(form.style, taken) };
  const errors: OptionsError[] = [];
  if (megapixels === undefined) errors.push("megapixels");
  if (whole === undefined) errors.push("steps");
  return { errors };
}

function changedStyle(style: Style, taken: readonly string[]): Partial<Style> {
  const changed = Object.entries(style).filter(
    ([name, value]) => taken.includes(name) && value !== DEFAULT_STYLE[name as keyof Style],
  );
  return Object.fromEntries(changed);
}

/** The style of options, with defaults for missing values. */
export function styleOf(options: Partial<ColoringOptions> | undefined): Style {
  return {
    frame: options?.frame ?? DEFAULT_STYLE.frame,
    background: options?.background ?? DEFAULT_STYLE.background,
    line_weight: options?.line_weight ?? DEFAULT_STYLE.line_weight,
  };
}

/** The form with its preset replaced by the default if the API does not list it. */
export function withListedPreset(form: OptionsForm, presets: Presets | undefined): OptionsForm {
  const isListed =
    form.preset === "own" || !presets || presets.items.some(({ name }) => name === form.preset);
  return isListed ? form : { ...form, preset: DEFAULT_FORM.preset };
}

/** The options of pages and SVGs from the form. */
export function optionsToSend(form: OptionsForm, presets: Presets | undefined): OptionsToSend {
  const coloring = coloringOptions(form, presets);
  const isInvalid = "errors" in coloring && coloring.errors.length > 0;
  return {
    coloring: "errors" in coloring ? undefined : coloring,
    waiting: presets || isInvalid ? undefined : form,
    svg: form.svg,
    taken: presets?.options ?? [],
  };
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
  const style = isRecord(stored.style) ? stored.style : {};
  return {
    // Which presets there are the API says: `withListedPreset`.
    preset: typeof stored.preset === "string" ? (stored.preset as Preset) : DEFAULT_FORM.preset,
    megapixels: validOr(stored.megapixels, MEGAPIXELS, DEFAULT_FORM.megapixels),
    steps: validOr(stored.steps, STEPS, DEFAULT_FORM.steps),
    style: {
      frame: typeof style.frame === "boolean" ? style.frame : DEFAULT_STYLE.frame,
      background: oneOf(BACKGROUNDS, style.background, DEFAULT_STYLE.background),
      line_weight: oneOf(LINE_WEIGHTS, style.line_weight, DEFAULT_STYLE.line_weight),
    },
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

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function oneOf<T extends string>(allowed: readonly T[], value: unknown, otherwise: T): T {
  return allowed.find((candidate) => candidate === value) ?? otherwise;
}

function validOr(value: unknown, range: { min: number; max: number }, otherwise: string): string {
  return typeof value === "string" && parseNumber(value, range) !== undefined ? value : otherwise;
}
