import { useId, useState } from "react";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import {
  coloringOptions,
  GROUPINGS,
  MEGAPIXELS,
  PRESET_NAMES,
  PRESETS,
  SHAPE_STACKINGS,
  STEPS,
  type OptionsError,
  type OptionsForm,
  type Preset,
} from "@/lib/options";
import { describeOptions } from "./VersionStrip";

interface OptionsBarProps {
  form: OptionsForm;
  onChange: (form: OptionsForm) => void;
}

/** Options of the next pages and SVGs: a preset or custom numbers; the structure of SVGs. */
export function OptionsBar({ form, onChange }: OptionsBarProps) {
  const { t } = useLanguage();
  const name = useId();
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <fieldset className="flex rounded-[9px] border border-line bg-card p-0.5">
        <legend className="sr-only">{t("detail.preset")}</legend>
        {PRESET_NAMES.map((preset) => (
          <PresetChoice
            key={preset}
            name={name}
            preset={preset}
            chosen={form.preset === preset}
            onChoose={() => onChange({ ...form, preset })}
          />
        ))}
      </fieldset>
      {form.preset === "own" && <OwnNumbers form={form} onChange={onChange} />}
      <SvgChoices form={form} onChange={onChange} />
    </div>
  );
}

interface PresetChoiceProps {
  name: string;
  preset: Preset;
  chosen: boolean;
  onChoose: () => void;
}

function PresetChoice({ name, preset, chosen, onChoose }: PresetChoiceProps) {
  const { t } = useLanguage();
  return (
    <label
      className={cn(
        "cursor-pointer rounded-[7px] px-2.5 py-1 text-[13px] leading-tight transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent",
        chosen ? "bg-ink text-paper" : "text-mute hover:text-ink",
      )}
    >
      <input type="radio" name={name} checked={chosen} onChange={onChoose} className="sr-only" />
      <span className="block font-medium">{t(`detail.preset.${preset}`)}</span>
      <small className={cn("block text-[11px]", chosen ? "opacity-80" : "")}>
        {preset === "own" ? t("detail.preset.own.hint") : describeOptions(PRESETS[preset])}
      </small>
    </label>
  );
}

/** Number fields for megapixels and steps, with the valid range if the input is invalid. */
export function OwnNumbers({ form, onChange }: OptionsBarProps) {
  const { t } = useLanguage();
  const options = coloringOptions(form);
  const errors: OptionsError[] = "errors" in options ? options.errors : [];
  return (
    <div className="flex flex-wrap items-start gap-3">
      <NumberField
        label={t("detail.megapixels")}
        range={MEGAPIXELS}
        value={form.megapixels}
        error={errors.includes("megapixels") ? t("detail.megapixels.error") : undefined}
        onChange={(megapixels) => onChange({ ...form, megapixels })}
      />
      <NumberField
        label={t("detail.stepsField")}
        range={STEPS}
        value={form.steps}
        error={errors.includes("steps") ? t("detail.stepsField.error") : undefined}
        onChange={(steps) => onChange({ ...form, steps })}
      />
    </div>
  );
}

interface NumberFieldProps {
  label: string;
  range: { min: number; max: number; step: number };
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}

function NumberField({ label, range, value, error, onChange }: NumberFieldProps) {
  const id = useId();
  return (
    <div className="text-[13px]">
      <label className="flex items-center gap-2 text-mute">
        {label}
        <input
          type="number"
          inputMode="decimal"
          {...range}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          aria-invalid={error !== undefined}
          aria-describedby={error === undefined ? undefined : id}
          className={cn(
            "h-9 w-20 rounded-[9px] border bg-card px-2.5 text-ink",
            error === undefined ? "border-line" : "border-bad",
          )}
        />
      </label>
      {error !== undefined && (
        <p id={id} role="alert" className="mt-1 text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

function SvgChoices({ form, onChange }: OptionsBarProps) {
  const { t } = useLanguage();
  const [open, setOpen] = useState(false);
  const id = useId();
  const { shape_stacking, group_by } = form.svg;
  return (
    <div className="flex flex-wrap items-center gap-3 text-[13px] text-mute">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
        className="rounded-[7px] px-1.5 py-1 hover:text-ink"
      >
        SVG: {t(`detail.stacking.${shape_stacking}`)} · {t(`detail.grouping.${group_by}`)} {open ? "▴" : "▾"}
      </button>
      <div id={id} hidden={!open} className="flex flex-wrap gap-3">
        <SvgFields form={form} onChange={onChange} />
      </div>
    </div>
  );
}

/** The structure of SVGs: shape stacking and grouping. */
export function SvgFields({ form, onChange }: OptionsBarProps) {
  const { t } = useLanguage();
  const { shape_stacking, group_by } = form.svg;
  return (
    <>
      <Choice
        label={t("detail.stacking")}
        value={shape_stacking}
        choices={SHAPE_STACKINGS.map((value) => ({ value, text: t(`detail.stacking.${value}`) }))}
        onChoose={(value) => onChange({ ...form, svg: { ...form.svg, shape_stacking: value } })}
      />
      <Choice
        label={t("detail.grouping")}
        value={group_by}
        choices={GROUPINGS.map((value) => ({ value, text: t(`detail.grouping.${value}`) }))}
        onChoose={(value) => onChange({ ...form, svg: { ...form.svg, group_by: value } })}
      />
    </>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: { value: T; text: string }[];
  onChoose: (value: T) => void;
}

function Choice<T extends string>({ label, value, choices, onChoose }: ChoiceProps<T>) {
  return (
    <label className="flex items-center gap-2">
      {label}
      <select
        value={value}
        onChange={(event) => {
          const chosen = choices.find((choice) => choice.value === event.target.value);
          if (chosen) onChoose(chosen.value);
        }}
        className="h-9 rounded-[9px] border border-line bg-card px-2 text-ink"
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.text}
          </option>
        ))}
      </select>
    </label>
  );
}
