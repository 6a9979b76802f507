import * as Dialog from "@radix-ui/react-dialog";
import { useRef, useState, type KeyboardEvent } from "react";
import { DiscardQuestion } from "@/components/DiscardQuestion";
import { Icon } from "@/components/Icon";
import { LoadFailure } from "@/components/LoadFailure";
import { ModalContent } from "@/components/ModalContent";
import type { OrderImage } from "@/components/order/model";
import type { Size } from "@/components/order/zoom";
import { useLanguage } from "@/i18n/context";
import { isSameEdit, NO_EDIT, turnedBy } from "@/lib/photoEdit";
import { PhotoStage } from "./PhotoStage";
import { PhotoTools } from "./PhotoTools";
import { usePhotoEdit, type EditedPhoto } from "./usePhotoEdit";

interface PhotoEditorProps {
  orderNumber: string;
  image: OrderImage;
  onClose: () => void;
}

/** The editor of a photo: turn, straighten, crop, brightness and contrast, previewed at once. */
export default function PhotoEditor({ orderNumber, image, onClose }: PhotoEditorProps) {
  const { t } = useLanguage();
  const photo = usePhotoEdit(orderNumber, image.id, onClose);
  const [isAsking, setAsking] = useState(false);
  const screen = useRef<HTMLDivElement>(null);
  const { now } = photo;
  const isChanged = now !== undefined && !isSameEdit(now.edit, now.read.state.edit);
  const close = (): void => (isChanged && !photo.busy ? setAsking(true) : onClose());
  const title = t("photo.title", { position: image.position });
  return (
    <Dialog.Root open onOpenChange={(open) => !open && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-50 bg-[#1d1b18]/60" />
        <ModalContent
          aria-describedby={undefined}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            screen.current?.focus();
          }}
          className="fixed inset-0 z-50 flex flex-col bg-paper outline-none lg:inset-3 lg:overflow-hidden lg:rounded-2xl lg:border lg:border-line lg:shadow-float"
        >
          <Keys photo={photo} ref={screen}>
            <div className="flex items-center gap-3 border-b border-line bg-card px-4 py-2">
              <Dialog.Title className="text-base font-semibold tracking-tight">{title}</Dialog.Title>
              <Dialog.Close className="icon-button ml-auto" aria-label={t("action.close")}>
                <Icon name="close" />
              </Dialog.Close>
            </div>
            {now ? (
              <Loaded now={now} photo={photo} name={title} onCancel={close} />
            ) : photo.loadError === null ? (
              <p className="animate-breathe p-8 text-center text-mute">{t("photo.loading")}</p>
            ) : (
              <LoadFailure title={t("photo.loadFailed")} error={photo.loadError} onRetry={photo.load} />
            )}
          </Keys>
          <DiscardQuestion
            title={t("photo.discard.title")}
            text={t("photo.discard.text")}
            keep={t("photo.discard.keep")}
            discard={t("photo.discard.confirm")}
            open={isAsking}
            onKeep={() => setAsking(false)}
            onDiscard={onClose}
          />
        </ModalContent>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

type Photo = ReturnType<typeof usePhotoEdit>;

interface KeysProps {
  photo: Photo;
  ref: React.Ref<HTMLDivElement>;
  children: React.ReactNode;
}

/** The keys of the editor; the help of the page lists them. */
function Keys({ photo, ref, children }: KeysProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const { now } = photo;
    if (!now || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = {
      l: () => photo.change((edit) => turnedBy(edit, "left")),
      r: () => photo.change((edit) => turnedBy(edit, "right")),
      "0": () => photo.change(() => NO_EDIT),
      s: () => photo.save(now),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <div ref={ref} tabIndex={-1} onKeyDown={onKeyDown} className="flex min-h-0 flex-1 flex-col outline-none">
      {children}
    </div>
  );
}

interface LoadedProps {
  now: EditedPhoto;
  photo: Photo;
  name: string;
  onCancel: () => void;
}

function Loaded({ now, photo, name, onCancel }: LoadedProps) {
  const { t } = useLanguage();
  const [size, setSize] = useState<Size>();
  const url = now.read.state.original_url;
  return (
    <div className="flex min-h-0 flex-1 flex-col lg:flex-row">
      <div className="min-h-0 flex-1 bg-[#12100e] p-6 text-[#d6cec3]">
        {url === null ? (
          <p className="grid size-full place-items-center">{t("detail.photo.waiting")}</p>
        ) : (
          <PhotoStage
            key={url}
            url={url}
            name={name}
            edit={now.edit}
            size={size}
            onSize={setSize}
            onCrop={(crop) => photo.change((edit) => ({ ...edit, crop }))}
          />
        )}
      </div>
      <div className="max-h-[50dvh] shrink-0 overflow-y-auto border-line bg-card p-4 max-lg:border-t lg:max-h-none lg:w-80 lg:border-l">
        <PhotoTools now={now} photo={photo} size={size} onCancel={onCancel} />
      </div>
    </div>
  );
}
