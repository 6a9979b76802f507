import { useId } from "react";
import { Choice } from "@/components/Choice";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import {
  BACKGROUNDS,
  LINE_WEIGHTS,
  MEGAPIXELS,
  ownOptions,
  STEPS,
  type OptionsError,
  type OptionsForm,
  type Style,
} from "@/lib/options";

interface OwnFieldsProps {
  form: OptionsForm;
  /** The options that the provider takes: only these are offered. */
  taken: readonly string[];
  onChange: (form: OptionsForm) => void;
}

/** The page's own size, detail and style; says what an emptied or wrong number should be. */
export function OwnFields({ form, taken, onChange }: OwnFieldsProps) {
  const { t } = useLanguage();
  const options = ownOptions(form, taken);
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
      <StyleFields style={form.style} taken={taken} onChange={(style) => onChange({ ...form, style })} />
    </div>
  );
}

interface StyleFieldsProps {
  style: Style;
  taken: readonly string[];
  onChange: (style: Style) => void;
}

function StyleFields({ style, taken, onChange }: StyleFieldsProps) {
  const { t } = useLanguage();
  return (
    <>
      {taken.includes("background") && (
        <Choice
          label={t("detail.background")}
          value={style.background}
          choices={BACKGROUNDS.map((value) => ({ value, text: t(`detail.background.${value}`) }))}
          onChoose={(background) => onChange({ ...style, background })}
        />
      )}
      {taken.includes("line_weight") && (
        <Choice
          label={t("detail.lineWeight")}
          value={style.line_weight}
          choices={LINE_WEIGHTS.map((value) => ({ value, text: t(`detail.lineWeight.${value}`) }))}
          onChoose={(line_weight) => onChange({ ...style, line_weight })}
        />
      )}
      {taken.includes("frame") && (
        <label className="flex min-h-9 items-center gap-2 text-[13px] text-mute">
          <input
            type="checkbox"
            checked={style.frame}
            onChange={(event) => onChange({ ...style, frame: event.target.checked })}
            className="size-4 accent-ink"
          />
          {t("detail.frame")}
        </label>
      )}
    </>
  );
}

interface NumberFieldProps {
  label: string;
  range: { min: number; max: number; step: number };
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}

/** A number as typed, with the reason why it is wrong. */
export function NumberField({ label, range, value, error, onChange }: NumberFieldProps) {
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
