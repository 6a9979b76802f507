import { useMemo, useState } from "react";
import type { OptionsToSend } from "./actions";
import { coloringOptions, recallOptions, rememberOptions, type OptionsForm } from "./options";

interface Options {
  form: OptionsForm;
  setForm: (form: OptionsForm) => void;
  toSend: OptionsToSend;
}

/** The options of the toolbar, remembered in this browser from one order to the next. */
export function useOptions(): Options {
  const [form, setForm] = useState(() => recallOptions(localStorage));
  // The same object for as long as the form is the same: the cards compare it.
  const toSend = useMemo(() => {
    const coloring = coloringOptions(form);
    return { coloring: "errors" in coloring ? undefined : coloring, svg: form.svg };
  }, [form]);
  return {
    form,
    setForm: (next) => {
      setForm(next);
      rememberOptions(next, localStorage);
    },
    toSend,
  };
}
