import { useLayoutEffect, useRef, type ReactNode, type SyntheticEvent } from "react";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { layoutChoices } from "./layouts";
import {
  DEDICATION_LENGTH,
  differences,
  invalidFields,
  ITEM_FIELDS,
  MAX_COPIES,
  TITLE_LENGTH,
  type ItemField,
} from "./lineItemForm";
import type { Editing, useLineItem } from "./useLineItem";

const FIELD =
  "w-full rounded-[9px] border border-line bg-card px-2.5 text-sm text-ink aria-invalid:border-bad";

interface LineItemFormProps {
  now: Editing;
  edit: ReturnType<typeof useLineItem>;
}

/** The fields of a line item, and beside each what another person has made of it meanwhile. */
export function LineItemForm({ now, edit }: LineItemFormProps) {
  const { t } = useLanguage();
  const first = useRef<HTMLInputElement>(null);
  // Before the browser shows the form: keys pressed from then on belong to the field.
  useLayoutEffect(() => first.current?.focus(), []);
  const invalid = invalidFields(now.texts);
  const isChanged = Object.keys(differences(now.read.state, now.texts)).length > 0;
  const hasConflict = Object.keys(now.conflicts).length > 0;
  const field = (name: ItemField) => ({
    value: now.texts[name],
    "aria-invalid": invalid.includes(name),
    onChange: (event: { target: { value: string } }) =>
      edit.change({ ...now.texts, [name]: event.target.value }),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (invalid.length === 0) edit.save(now);
  };
  return (
    <form
      aria-label={t("item.edit")}
      onSubmit={submit}
      onKeyDown={(event) => event.key === "Escape" && !isChanged && edit.close()}
      className="mt-3 grid max-w-3xl gap-3 rounded-2xl border border-line bg-card p-4 sm:grid-cols-[minmax(0,1fr)_6rem_10rem]"
    >
      <Labelled name="title">
        <input
          ref={first}
          readOnly={edit.busy}
          maxLength={TITLE_LENGTH}
          autoComplete="off"
          className={cn(FIELD, "h-9")}
          {...field("title")}
        />
      </Labelled>
      <Labelled name="quantity">
        <input
          readOnly={edit.busy}
          type="number"
          min={1}
          max={MAX_COPIES}
          className={cn(FIELD, "h-9")}
          {...field("quantity")}
        />
      </Labelled>
      <Labelled name="layout">
        <select className={cn(FIELD, "h-9")} {...field("layout")}>
          {layoutChoices(now.texts.layout, t).map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </Labelled>
      <Labelled name="dedication" className="sm:col-span-3">
        <textarea
          rows={3}
          readOnly={edit.busy}
          maxLength={DEDICATION_LENGTH}
          className={cn(FIELD, "py-2")}
          {...field("dedication")}
        />
      </Labelled>
      {invalid.length > 0 && (
        <p role="alert" className="text-[13px] text-bad sm:col-span-3">
          {t(`item.error.${invalid[0] === "title" ? "title" : "quantity"}`, { max: MAX_COPIES })}
        </p>
      )}
      {hasConflict && <Conflict conflicts={now.conflicts} onTakeOver={edit.takeOver} />}
      {now.failure !== undefined && (
        <p role="alert" className="text-[13px] text-bad sm:col-span-3">
          {now.failure}
        </p>
      )}
      <div className="flex gap-2 sm:col-span-3">
        <button type="submit" className="button button-small button-primary" aria-disabled={edit.busy}>
          {t(hasConflict ? "item.saveMine" : "item.save")}
        </button>
        <button type="button" className="button button-small" onClick={edit.close}>
          {t("action.cancel")}
        </button>
      </div>
    </form>
  );
}

function Labelled({
  name,
  className,
  children,
}: {
  name: ItemField;
  className?: string;
  children: ReactNode;
}) {
  const { t } = useLanguage();
  return (
    <label className={cn("text-[13px] text-mute", className)}>
      <span className="mb-1 block">{t(`item.${name}`)}</span>
      {children}
    </label>
  );
}

function Conflict({ conflicts, onTakeOver }: Pick<Editing, "conflicts"> & { onTakeOver: () => void }) {
  const { t } = useLanguage();
  return (
    <div role="alert" className="rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad sm:col-span-3">
      <p className="font-semibold">{t("item.conflict")}</p>
      <ul>
        {ITEM_FIELDS.filter((name) => conflicts[name] !== undefined).map((name) => (
          <li key={name}>
            {t(`item.${name}`)}: <q>{conflicts[name]}</q>
          </li>
        ))}
      </ul>
      <button type="button" className="button button-small mt-2" onClick={onTakeOver}>
        {t("item.takeOver")}
      </button>
    </div>
  );
}
