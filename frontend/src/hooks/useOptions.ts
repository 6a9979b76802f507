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

/** The options of pages and SVGs, stored in the browser for all orders and pages. */
export function useOptions(): Options {
  const { data: presets } = useQuery(presetsQuery);
  const [chosen, setForm] = useState(() => recallOptions(localStorage));
  const form = withListedPreset(chosen, presets);
  // Memoized, because the cards compare it by identity.
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
