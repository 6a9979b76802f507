import { useQuery } from "@tanstack/react-query";
import { useId, type ReactNode, type SyntheticEvent } from "react";
import { LoadFailure } from "@/components/LoadFailure";
import { useCanEdit, useSession } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { assigneesQuery, type OrderDetails } from "@/lib/historyApi";
import { DETAIL_FIELDS, NAME_LENGTH, NOTE_LENGTH, type DetailField } from "./detailsForm";
import { useDetails, type DraftsProps } from "./useDetails";

const FIELD = "w-full rounded-[9px] border border-line bg-card px-2.5 text-sm text-ink";
const LABELS = {
  customer_name: "history.customer",
  assignee: "history.assignee",
  note: "history.note",
} as const;

/** Customer, assignee and note of an order: a form for operators, values for viewers. */
export function Details({ orderNumber, drafts }: { orderNumber: string; drafts: DraftsProps }) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const details = useDetails(orderNumber, drafts);
  const { data, error, refetch } = details.query;
  if (!data) {
    return error ? (
      <LoadFailure title={t("history.loadFailed")} error={error} onRetry={() => void refetch()} />
    ) : (
      <div className="h-44" />
    );
  }
  return (
    <section aria-label={t("history.details")} className="grid gap-3">
      {canEdit ? <DetailsForm details={details} /> : <Values state={data.state} />}
      <ShopCustomer state={data.state} details={details} />
    </section>
  );
}

type Editing = ReturnType<typeof useDetails>;

function Values({ state }: { state: OrderDetails }) {
  const { t } = useLanguage();
  return (
    <dl className="grid gap-1.5">
      {DETAIL_FIELDS.map((field) => (
        <div key={field}>
          <dt className="text-[13px] text-mute">{t(LABELS[field])}</dt>
          <dd className="break-words whitespace-pre-wrap">
            {state[field] ?? t(field === "assignee" ? "history.unassigned" : "history.empty")}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function DetailsForm({ details }: { details: Editing }) {
  const { t } = useLanguage();
  const names = useId();
  const { caller } = useSession();
  const assignees = useQuery(assigneesQuery).data ?? [];
  const { texts, busy, failure, conflicts } = details;
  if (!texts) return null;
  const hasConflict = Object.keys(conflicts).length > 0;
  const field = (name: DetailField) => ({
    value: texts[name],
    readOnly: busy,
    onChange: (event: { target: { value: string } }) => details.change(name, event.target.value),
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    details.save();
  };
  const me = caller?.kind === "user" || caller?.kind === "proxy" ? caller.name : undefined;
  return (
    <form onSubmit={submit} className="grid gap-3">
      <Labelled name="customer_name">
        <input
          maxLength={NAME_LENGTH}
          autoComplete="off"
          className={cn(FIELD, "h-9")}
          {...field("customer_name")}
        />
      </Labelled>
      <div className="flex items-end gap-2">
        <Labelled name="assignee">
          <input
            maxLength={NAME_LENGTH}
            autoComplete="off"
            list={names}
            placeholder={t("history.unassigned")}
            className={cn(FIELD, "h-9")}
            {...field("assignee")}
          />
        </Labelled>
        <datalist id={names}>
          {assignees.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {me !== undefined && texts.assignee !== me && (
          <button
            type="button"
            className="button h-9 px-2.5 text-[13px]"
            onClick={() => details.change("assignee", me)}
          >
            {t("history.toMe")}
          </button>
        )}
      </div>
      <Labelled name="note">
        <textarea rows={2} maxLength={NOTE_LENGTH} className={cn(FIELD, "py-2")} {...field("note")} />
      </Labelled>
      {hasConflict && <Conflict details={details} />}
      {failure !== undefined && (
        <p role="alert" className="text-[13px] text-bad">
          {failure}
        </p>
      )}
      {details.isChanged && (
        <div className="flex gap-2">
          <button type="submit" className="button button-small button-primary" aria-disabled={busy}>
            {t(hasConflict ? "item.saveMine" : "item.save")}
          </button>
          <button type="button" className="button button-small" onClick={details.discard}>
            {t(hasConflict ? "item.takeOver" : "action.cancel")}
          </button>
        </div>
      )}
    </form>
  );
}

function Labelled({ name, children }: { name: DetailField; children: ReactNode }) {
  const { t } = useLanguage();
  return (
    <label className="min-w-0 flex-1 text-[13px] text-mute">
      <span className="mb-1 block">{t(LABELS[name])}</span>
      {children}
    </label>
  );
}

/** What another person made of the same fields meanwhile. */
function Conflict({ details: { conflicts } }: { details: Editing }) {
  const { t } = useLanguage();
  return (
    <div role="alert" className="rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
      <p className="font-semibold">{t("history.conflict")}</p>
      <ul>
        {DETAIL_FIELDS.filter((name) => conflicts[name] !== undefined).map((name) => (
          <li key={name} className="break-words">
            {t(LABELS[name])}: <q>{conflicts[name]}</q>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The shop's customer where it was edited here; marked if the shop changed it afterwards. */
function ShopCustomer({ state, details }: { state: OrderDetails; details: Editing }) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  if (!state.shop_values) return null;
  const ofShop = state.shop_values.customer_name ?? "";
  const isChanged = (state.shop_changed_fields ?? []).includes("customer_name");
  return (
    <div className={cn("text-[13px]", isChanged ? "rounded-[10px] bg-accent-soft px-3 py-2" : "text-mute")}>
      {isChanged && <p className="font-medium">{t("history.shopChanged")}</p>}
      <p className="break-words">{t("history.shopCustomer", { name: ofShop || t("history.empty") })}</p>
      {isChanged && canEdit && (
        <div className="mt-1.5 flex flex-wrap gap-2">
          <button
            type="button"
            className="button button-small"
            onClick={() => details.saveNow({ customer_name: ofShop })}
          >
            {t("item.useShop")}
          </button>
          <button
            type="button"
            className="button button-small"
            onClick={() => details.saveNow({ customer_name: state.customer_name ?? "" })}
          >
            {t("item.keepOwn")}
          </button>
        </div>
      )}
    </div>
  );
}
