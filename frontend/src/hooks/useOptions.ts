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

/** How pages and SVGs are to be made, remembered in this browser from one order, and page, to the next. */
export function useOptions(): Options {
  const [form, setForm] = useState(() => recallOptions(localStorage));
  // The same object for as long as the form is the same: the cards compare it.
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
