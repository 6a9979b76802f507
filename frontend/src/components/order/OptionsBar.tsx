import { useId, useState } from "react";
import { Choice } from "@/components/Choice";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import type { Presets } from "@/lib/api";
import { cn } from "@/lib/cn";
import { describeOptions } from "@/lib/describeOptions";
import { GROUPINGS, SHAPE_STACKINGS, type OptionsForm, type Preset } from "@/lib/options";
import { OwnFields } from "./OwnFields";

interface FormProps {
  form: OptionsForm;
  onChange: (form: OptionsForm) => void;
}

interface OptionsBarProps extends FormProps {
  /** Undefined until the API responded: until then only custom values are available. */
  presets: Presets | undefined;
}

/** Options of the next pages and SVGs: a preset or custom values; the structure of SVGs. */
export function OptionsBar({ form, presets, onChange }: OptionsBarProps) {
  const { t } = useLanguage();
  const name = useId();
  const seconds = presets?.items.find((preset) => preset.name === form.preset)?.seconds;
  const choice = (preset: Preset, hint: string) => (
    <PresetChoice
      key={preset}
      name={name}
      preset={preset}
      hint={hint}
      chosen={form.preset === preset}
      onChoose={() => onChange({ ...form, preset })}
    />
  );
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      {/* On a phone the options would push the photos off the screen. */}
      <button
        type="button"
        className="button button-small md:hidden"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="settings" />
        {t(`detail.preset.${form.preset}`)}
        <span className="sr-only">{` ${t("detail.preset")}`}</span>
      </button>
      <div id={id} className={cn("flex flex-wrap items-center gap-x-4 gap-y-2", !isOpen && "max-md:hidden")}>
        <fieldset className="flex min-h-[46px] flex-wrap rounded-[9px] border border-line bg-card p-0.5">
          <legend className="sr-only">{t("detail.preset")}</legend>
          {presets?.items.map((preset) => choice(preset.name, describeOptions(preset.options, t)))}
          {choice("own", t("detail.preset.own.hint"))}
        </fieldset>
        {seconds != null && (
          <span className="text-[13px] text-mute">
            {t("detail.preset.seconds", { seconds: Math.ceil(seconds) })}
          </span>
        )}
        {form.preset === "own" && (
          <OwnFields form={form} taken={presets?.options ?? []} onChange={onChange} />
        )}
        <SvgChoices form={form} onChange={onChange} />
      </div>
    </div>
  );
}

interface PresetChoiceProps {
  name: string;
  preset: Preset;
  hint: string;
  chosen: boolean;
  onChoose: () => void;
}

function PresetChoice({ name, preset, hint, chosen, onChoose }: PresetChoiceProps) {
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
      <small className={cn("block text-[11px]", chosen ? "opacity-80" : "")}>{hint}</small>
    </label>
  );
}

function SvgChoices({ form, onChange }: FormProps) {
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
export function SvgFields({ form, onChange }: FormProps) {
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
