import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Presets } from "@/lib/api";
import {
  optionsToSend,
  recallOptions,
  rememberOptions,
  withListedPreset,
  type OptionsForm,
  type OptionsToSend,
} from "@/lib/options";
import { presetsQuery } from "@/lib/presetsQuery";

interface Options {
  form: OptionsForm;
  setForm: (form: OptionsForm) => void;
  /** Undefined until the API has listed them. */
  presets: Presets | undefined;
  toSend: OptionsToSend;
}

/** How pages and SVGs are to be made, remembered in this browser from one order, and page, to the next. */
export function useOptions(): Options {
  const { data: presets } = useQuery(presetsQuery);
  const [chosen, setForm] = useState(() => recallOptions(localStorage));
  const form = withListedPreset(chosen, presets);
  // The same object for as long as the form is the same: the cards compare it.
  const toSend = useMemo(() => optionsToSend(form, presets), [form, presets]);
  return {
    form,
    setForm: (next) => {
      setForm(next);
      rememberOptions(next, localStorage);
    },
    presets,
    toSend,
  };
}
