import { useId } from "react";
import { useLanguage } from "@/i18n/context";
import type { Presets } from "@/lib/api";
import { cn } from "@/lib/cn";
import { describeOptions } from "@/lib/describeOptions";
import { coloringOptions, type OptionsForm, type Preset } from "@/lib/options";

interface PresetPickerProps {
  form: OptionsForm;
  /** Undefined until the API has listed them. */
  presets: Presets | undefined;
  onChange: (form: OptionsForm) => void;
}

/** The presets; own values only where they are chosen, because they are typed on an order's page. */
function offered(form: OptionsForm, presets: Presets | undefined): readonly Preset[] {
  const listed = presets?.items.map(({ name }) => name) ?? [];
  return form.preset === "own" ? [...listed, "own"] : listed;
}

function Choice({ form, presets, preset, name, onChoose }: ChoiceProps) {
  const { t } = useLanguage();
  const options = coloringOptions({ ...form, preset }, presets);
  const isChosen = form.preset === preset;
  const values = "errors" in options ? undefined : describeOptions(options, t);
  return (
    <label
      title={values}
      className={cn(
        "cursor-pointer rounded-[7px] px-2 py-1 text-[13px] transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent",
        isChosen ? "bg-card text-ink shadow-card" : "text-mute hover:text-ink",
      )}
    >
      <input type="radio" name={name} checked={isChosen} onChange={onChoose} className="sr-only" />
      {t(`detail.preset.${preset}`)}
      {values && <span className="sr-only"> {values}</span>}
    </label>
  );
}

interface ChoiceProps {
  form: OptionsForm;
  presets: Presets | undefined;
  preset: Preset;
  name: string;
  onChoose: () => void;
}

/** Preset of the coloring pages for the selected orders. */
export function PresetPicker({ form, presets, onChange }: PresetPickerProps) {
  const { t } = useLanguage();
  const name = useId();
  return (
    <fieldset className="flex flex-wrap rounded-[9px] bg-soft p-0.5">
      <legend className="sr-only">{t("list.preset")}</legend>
      {offered(form, presets).map((preset) => (
        <Choice
          key={preset}
          form={form}
          presets={presets}
          preset={preset}
          name={name}
          onChoose={() => onChange({ ...form, preset })}
        />
      ))}
    </fieldset>
  );
}
