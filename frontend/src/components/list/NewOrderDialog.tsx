import * as Dialog from "@radix-ui/react-dialog";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type SyntheticEvent } from "react";
import { useNavigate } from "react-router";
import { Icon } from "@/components/Icon";
import { useOptions } from "@/hooks/useOptions";
import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import type { OptionsToSend } from "@/lib/options";
import { coloringToSend } from "@/lib/presetsQuery";
import { showToast } from "@/lib/toasts";
import { createOrder, refusedBy, refusedOf, type NewOrder } from "@/lib/upload";
import type { Failure } from "@/types";
import { DiscardQuestion } from "./DiscardQuestion";
import { bookOf, NewBookFields } from "./NewBookFields";
import { PhotoTile } from "./PhotoTile";

const TILES = "grid grid-cols-2 gap-2 sm:grid-cols-3";
const PROCESSES = ["none", "coloring", "svg"] as const;
/** The extensions are for browsers that have no MIME type for these formats and would hide the files. */
const ACCEPTED = "image/*,.heic,.heif,.avif,.jfif,.tif,.tiff";
const FIELD = "h-9 w-full rounded-[9px] border border-line bg-paper px-3";

interface NewOrderDialogProps {
  photos: readonly File[];
  onPhotos: (photos: File[]) => void;
  onAdd: (files: File[]) => void;
  onClose: () => void;
}

const keyOf = (photo: File) => `${photo.name} ${photo.size} ${photo.lastModified}`;

/** A created order that lacks some of the files. */
interface IncompleteOrder {
  orderNumber: string;
  refused: ReadonlyMap<File, Failure>;
}

const NONE: ReadonlyMap<File, Failure> = new Map();

/**
 * Sends the order. `shares`: the sent fraction of each file, null before sending; `failure`: the error message;
 * `refused`: the rejected files. `onDone` gets the created order with the files that it lacks.
 */
function useSending(onDone: (made: IncompleteOrder) => void) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [shares, setShares] = useState<number[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [refused, setRefused] = useState(NONE);
  const send = async (order: Omit<NewOrder, "coloring">, options: OptionsToSend) => {
    setFailure(null);
    setShares(order.photos.map(() => 0));
    try {
      const coloring = await coloringToSend(queries, options);
      const made = await createOrder({ ...order, coloring }, setShares);
      onDone({ orderNumber: made.order_number, refused: refusedOf(order.photos, made) });
    } catch (error) {
      const faults = refusedBy(order.photos, error);
      setRefused(faults);
      setFailure(faults.size > 0 ? t("upload.noneUsable") : failureSentence(error, t));
    }
    setShares(null);
  };
  return { shares, failure, refused, send };
}

function PickButton({ primary, onAdd }: { primary: boolean; onAdd: (files: File[]) => void }) {
  const { t } = useLanguage();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="button button-small" onClick={() => input.current?.click()}>
        <Icon name={primary ? "photo" : "plus"} />
        {primary ? t("upload.pick") : t("upload.more")}
      </button>
      <input
        ref={input}
        type="file"
        accept={ACCEPTED}
        multiple
        hidden
        data-testid="photos"
        onChange={(event) => {
          onAdd([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </>
  );
}

function ProcessChoice() {
  const { t } = useLanguage();
  return (
    <fieldset>
      <legend className="mb-1.5 text-[13px] text-mute">{t("upload.process")}</legend>
      <div className="grid grid-cols-3 gap-1 rounded-[10px] bg-soft p-1 text-center text-[13px]">
        {PROCESSES.map((process) => (
          <label
            key={process}
            className="cursor-pointer rounded-[7px] px-1 py-1.5 text-mute has-checked:bg-card has-checked:text-ink has-checked:shadow-card has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name="process"
              value={process}
              defaultChecked={process === "coloring"}
              className="sr-only"
            />
            {t(`upload.process.${process}`)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function SendButton({ shares, disabled }: { shares: number[] | null; disabled: boolean }) {
  const { t } = useLanguage();
  const share = shares ? shares.reduce((sum, one) => sum + one, 0) / shares.length : 0;
  const percent = Math.round(share * 100);
  const text = percent === 100 ? t("upload.storing") : t("upload.sending", { percent });
  return (
    <button type="submit" className="button button-primary w-full" disabled={disabled || shares !== null}>
      {shares ? text : t("upload.create")}
    </button>
  );
}

function formText(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** The files that the created order lacks, each with its reason, and a link to the order. */
function IncompleteOrderNotice({ made, onOpen }: { made: IncompleteOrder; onOpen: () => void }) {
  const { t } = useLanguage();
  return (
    <div className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5 pb-5">
      <p role="status">{t("upload.partly", { count: made.refused.size })}</p>
      <ul className={TILES}>
        {[...made.refused].map(([photo, failure]) => (
          <PhotoTile key={keyOf(photo)} photo={photo} progress={null} refusal={failure} />
        ))}
      </ul>
      <button type="button" className="button button-primary w-full" onClick={onOpen} autoFocus>
        {t("upload.open", { number: made.orderNumber })}
      </button>
    </div>
  );
}

function Fields() {
  const { t } = useLanguage();
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <label className="text-[13px] text-mute">
        <span className="mb-1.5 block">{t("upload.customer")}</span>
        <input name="customer" maxLength={200} autoComplete="off" className={`${FIELD} text-sm text-ink`} />
      </label>
      <label className="text-[13px] text-mute">
        <span className="mb-1.5 block">{t("upload.note")}</span>
        <input name="note" maxLength={2000} autoComplete="off" className={`${FIELD} text-sm text-ink`} />
      </label>
    </div>
  );
}

/** Creates an order from dropped or selected photos. More photos can be dropped while it is open. */
export default function NewOrderDialog({ photos, onPhotos, onAdd, onClose }: NewOrderDialogProps) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  // The preset that was chosen last, for the list and for orders.
  const options = useOptions();
  const [made, setMade] = useState<IncompleteOrder | null>(null);
  const open = (number: string) => {
    onClose();
    void navigate(`/orders/${encodeURIComponent(number)}`);
  };
  const { shares, failure, refused, send } = useSending((done) => {
    if (done.refused.size === 0) {
      showToast(t("upload.created", { number: done.orderNumber }));
      open(done.orderNumber);
    } else {
      setMade(done);
      // Photos that are dropped from now on go into a new order.
      onPhotos([]);
    }
  });
  const submit = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const process = PROCESSES.find((known) => known === form.get("process")) ?? "none";
    const customerName = formText(form, "customer");
    const order = { photos, process, customerName, note: formText(form, "note"), book: bookOf(form) };
    void send(order, options.toSend);
  };
  const isMade = made !== null && photos.length === 0;
  const count = isMade ? made.refused.size : photos.length;
  const [isAsking, setAsking] = useState(false);
  const close = () => {
    if (photos.length > 0) setAsking(true);
    else onClose();
  };
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && !shares && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
        <Dialog.Content className="fixed top-1/2 left-1/2 z-40 flex max-h-[92dvh] w-[min(34rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 flex-col rounded-2xl border border-line bg-card shadow-float">
          <div className="flex items-start justify-between gap-3 p-5 pb-3">
            <div>
              <Dialog.Title className="text-lg font-semibold tracking-tight">
                {isMade ? t("upload.partlyTitle", { number: made.orderNumber }) : t("upload.title")}
              </Dialog.Title>
              <Dialog.Description className={isMade ? "sr-only" : "text-mute"}>
                {count > 0 ? t("photos", { count }) : t("upload.text")}
              </Dialog.Description>
            </div>
            <Dialog.Close className="icon-button" aria-label={t("action.close")} disabled={shares !== null}>
              <Icon name="close" />
            </Dialog.Close>
          </div>
          {isMade ? (
            <IncompleteOrderNotice made={made} onOpen={() => open(made.orderNumber)} />
          ) : (
            <form onSubmit={submit} className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5">
              {photos.length > 0 && (
                <ul
                  className={`${TILES} max-h-[30dvh] min-h-28 shrink-0 auto-rows-max overflow-y-auto sm:max-h-[42dvh]`}
                >
                  {photos.map((photo, index) => (
                    <PhotoTile
                      key={keyOf(photo)}
                      photo={photo}
                      progress={shares?.[index] ?? null}
                      refusal={refused.get(photo)}
                      onRemove={() => onPhotos(photos.filter((other) => other !== photo))}
                    />
                  ))}
                </ul>
              )}
              {!shares && (
                <div>
                  <PickButton primary={photos.length === 0} onAdd={onAdd} />
                </div>
              )}
              <Fields />
              <NewBookFields />
              <ProcessChoice />
              <p className="-mt-2 text-[13px] text-mute">
                {t("upload.preset", { preset: t(`detail.preset.${options.form.preset}`) })}
              </p>
              <div className="sticky bottom-0 grid gap-3 bg-card pt-1 pb-5">
                {failure && (
                  <p role="alert" className="rounded-xl bg-bad-soft px-3 py-2 text-bad">
                    {failure}
                  </p>
                )}
                <SendButton shares={shares} disabled={photos.length === 0} />
              </div>
            </form>
          )}
          <DiscardQuestion
            count={photos.length}
            open={isAsking}
            onKeep={() => setAsking(false)}
            onDiscard={onClose}
          />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
