import * as Dialog from "@radix-ui/react-dialog";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type SyntheticEvent } from "react";
import { useNavigate } from "react-router";
import { FilePicker } from "@/components/FilePicker";
import { DiscardQuestion } from "@/components/DiscardQuestion";
import { Icon } from "@/components/Icon";
import { ModalContent } from "@/components/ModalContent";
import { sendPhotos } from "@/components/order/photoUploads";
import { useOptions } from "@/hooks/useOptions";
import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import type { OptionsToSend } from "@/lib/options";
import { createEmptyOrder, type Processing } from "@/lib/photoApi";
import { coloringToSend } from "@/lib/presetsQuery";
import { showToast } from "@/lib/toasts";
import { newKey } from "@/lib/uploads";
import { bookOf, NewBookFields } from "./NewBookFields";
import { PhotoTile } from "./PhotoTile";

const TILES = "grid grid-cols-2 gap-2 sm:grid-cols-3";
const PROCESSES = ["none", "coloring", "svg"] as const;
const FIELD = "h-9 w-full rounded-[9px] border border-line bg-paper px-3";

interface NewOrderDialogProps {
  photos: readonly File[];
  onPhotos: (photos: File[]) => void;
  onAdd: (files: File[]) => void;
  onClose: () => void;
}

const keyOf = (photo: File) => `${photo.name} ${photo.size} ${photo.lastModified}`;

/**
 * Creates the order, then hands the photos over to the uploads, which go on while its page is shown. The same order
 * again has the same key: it is created once, even if the response was lost.
 */
function useCreation(onCreated: (orderNumber: string) => void) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const sent = useRef({ body: "", key: "" });
  const create = async (
    wanted: Parameters<typeof createEmptyOrder>[0],
    photos: readonly File[],
    process: Processing["process"],
    options: OptionsToSend,
  ) => {
    const body = JSON.stringify(wanted);
    if (sent.current.body !== body) sent.current = { body, key: newKey() };
    setFailure(null);
    setPending(true);
    try {
      const coloring = await coloringToSend(queries, options);
      const order = await createEmptyOrder(wanted, sent.current.key);
      const [item] = order.line_items;
      if (item) sendPhotos(order.order_number, item, photos, { process, coloring });
      onCreated(order.order_number);
    } catch (error) {
      setFailure(failureSentence(error, t));
    }
    setPending(false);
  };
  return { isPending, failure, create };
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

function formText(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
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
  const { isPending, failure, create } = useCreation((number) => {
    showToast(t("upload.created", { number }));
    onClose();
    void navigate(`/orders/${encodeURIComponent(number)}`);
  });
  const submit = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const process = PROCESSES.find((known) => known === form.get("process")) ?? "none";
    const customer = formText(form, "customer");
    const note = formText(form, "note");
    const order = { ...bookOf(form), ...(customer && { customer_name: customer }), ...(note && { note }) };
    void create(order, photos, process, options.toSend);
  };
  const [isAsking, setAsking] = useState(false);
  const close = () => {
    if (photos.length > 0) setAsking(true);
    else onClose();
  };
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && !isPending && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
        <ModalContent className="fixed top-1/2 left-1/2 z-40 flex max-h-[92dvh] w-[min(34rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 flex-col rounded-2xl border border-line bg-card shadow-float">
          <div className="flex items-start justify-between gap-3 p-5 pb-3">
            <div>
              <Dialog.Title className="text-lg font-semibold tracking-tight">
                {t("upload.title")}
              </Dialog.Title>
              <Dialog.Description className="text-mute">
                {photos.length > 0 ? t("photos", { count: photos.length }) : t("upload.text")}
              </Dialog.Description>
            </div>
            <Dialog.Close className="icon-button" aria-label={t("action.close")} disabled={isPending}>
              <Icon name="close" />
            </Dialog.Close>
          </div>
          <form onSubmit={submit} className="flex min-h-0 flex-col gap-4 overflow-y-auto px-5">
            {photos.length > 0 && (
              <ul
                className={`${TILES} max-h-[30dvh] min-h-28 shrink-0 auto-rows-max overflow-y-auto sm:max-h-[42dvh]`}
              >
                {photos.map((photo) => (
                  <PhotoTile
                    key={keyOf(photo)}
                    photo={photo}
                    progress={null}
                    onRemove={() => onPhotos(photos.filter((other) => other !== photo))}
                  />
                ))}
              </ul>
            )}
            <div>
              <FilePicker testId="photos" onFiles={onAdd}>
                <Icon name={photos.length === 0 ? "photo" : "plus"} />
                {photos.length === 0 ? t("upload.pick") : t("upload.more")}
              </FilePicker>
            </div>
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
              <button
                type="submit"
                className="button button-primary w-full"
                disabled={isPending || photos.length === 0}
              >
                {t("upload.create")}
              </button>
            </div>
          </form>
          <DiscardQuestion
            title={t("upload.discard.title")}
            text={t("upload.discard.text", { count: photos.length })}
            keep={t("upload.discard.keep")}
            discard={t("upload.discard.confirm")}
            open={isAsking}
            onKeep={() => setAsking(false)}
            onDiscard={onClose}
          />
        </ModalContent>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
