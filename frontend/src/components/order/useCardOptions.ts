import { useState } from "react";
import type { OptionsToSend } from "./actions";
import { DEFAULT_FORM, ownOptions, styleOf, type OptionsForm } from "@/lib/options";
import type { Kind } from "./model";

/** The options of one image: the toolbar's, or its own while its form is open. */
export interface CardOptions {
  toSend: OptionsToSend;
  /** The open form of a kind; undefined while the toolbar's options apply. */
  formOf: (kind: Kind) => OptionsForm | undefined;
  setForm: (kind: Kind, form: OptionsForm | undefined) => void;
  /** The initial form: the options that would be sent now. */
  begin: () => OptionsForm;
}

export function useCardOptions(shared: OptionsToSend): CardOptions {
  const [forms, setForms] = useState<Partial<Record<Kind, OptionsForm | undefined>>>({});
  const own = forms.coloring && ownOptions(forms.coloring, shared.taken);
  const ownColoring = own && "errors" in own ? undefined : own;
  const coloring = forms.coloring ? ownColoring : shared.coloring;
  // Which options of style the provider takes is listed with the presets.
  const ownWaiting = ownColoring && shared.waiting && forms.coloring;
  const waiting = forms.coloring ? ownWaiting : shared.waiting;
  return {
    toSend: { coloring, waiting, svg: forms.svg?.svg ?? shared.svg, taken: shared.taken },
    formOf: (kind) => forms[kind],
    setForm: (kind, form) => setForms((before) => ({ ...before, [kind]: form })),
    begin: () => ({
      preset: "own",
      megapixels: String(shared.coloring?.megapixels ?? DEFAULT_FORM.megapixels),
      steps: String(shared.coloring?.steps ?? DEFAULT_FORM.steps),
      style: styleOf(shared.coloring),
      svg: shared.svg,
    }),
  };
}
