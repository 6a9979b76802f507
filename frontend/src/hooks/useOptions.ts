import { useState } from "react";
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
  return {
    form,
    setForm: (next) => {
      setForm(next);
      rememberOptions(next, localStorage);
    },
    toSend: optionsToSend(form),
  };
}
