import { useMemo, useState } from "react";
import {
  optionsToSend,
  recallOptions,
  rememberOptions,
  type OptionsForm,
  type OptionsToSend,
} from "@/lib/options";

interface Options {
  form: OptionsForm;
  setForm: (form: OptionsForm) => void;
  toSend: OptionsToSend;
}

/** The options of pages and SVGs, stored in the browser for all orders and pages. */
export function useOptions(): Options {
  const [form, setForm] = useState(() => recallOptions(localStorage));
  // Memoized, because the cards compare it by identity.
  const toSend = useMemo(() => optionsToSend(form), [form]);
  return {
    form,
    setForm: (next) => {
      setForm(next);
      rememberOptions(next, localStorage);
    },
    toSend,
  };
}
