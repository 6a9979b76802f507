import * as Dialog from "@radix-ui/react-dialog";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { Icon, type IconName } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { usePhotoEditing } from "@/components/photo/editing";
import { useCanEdit } from "@/hooks/useSession";
import { useImageActions, type OptionsToSend } from "./actions";
import { useApproval } from "./approvals";
import { deliverableImagesOf, imagesOf } from "./cached-order";
import type { Order, OrderImage } from "./model";
import { useFocusFallback } from "./useFocusFallback";
import { useWheel } from "./useGestures";
import { useExtent, usePictureSizes, usePreloading } from "./usePictureSizes";
import { useZoom, type ZoomControl } from "./useZoom";
import { ViewerBar } from "./ViewerBar";
import { ViewerPicture } from "./ViewerPicture";
import { filesOf, shownView, VIEWS, viewsOf, type View, type Viewed } from "./views";

interface ViewerProps {
  order: Order;
  options: OptionsToSend;
  viewed: Viewed | undefined;
  onChange: (viewed: Viewed | undefined) => void;
}

/** The full-screen view: zoom, pan, next and previous; Esc closes it. */
export function Viewer({ order, options, viewed, onChange }: ViewerProps) {
  const images = imagesOf(order);
  const index = images.findIndex((image) => image.id === viewed?.imageId);
  const image = lookedAt(images[index], viewed);
  const focusCard = useCardToReturnTo(viewed);
  return (
    <Dialog.Root open={viewed !== undefined && image !== undefined} onOpenChange={() => onChange(undefined)}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[#12100e]" />
        <Dialog.Content
          aria-describedby={undefined}
          onOpenAutoFocus={focusScreen}
          onCloseAutoFocus={focusCard}
          className="fixed inset-0 z-50 flex flex-col bg-[#12100e] text-[#f1ece4] outline-none"
        >
          {viewed && image && (
            <Screen
              orderNumber={order.order_number}
              images={images}
              options={options}
              isDeliverable={deliverableImagesOf(order).some(({ id }) => id === image.id)}
              index={index}
              image={image}
              viewed={viewed}
              onChange={onChange}
            />
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** The image with the versions that are looked at as the chosen ones: to look does not choose. */
function lookedAt(image: OrderImage | undefined, viewed: Viewed | undefined): OrderImage | undefined {
  if (!image || !viewed?.looked) return image;
  const { coloring, svg } = viewed.looked;
  const chosen = image.selected_version_ids;
  const ids = { coloring: coloring ?? chosen.coloring, svg: svg ?? chosen.svg };
  return { ...image, selected_version_ids: ids };
}

/** Focuses the dialog itself: the keys work at once, and no button has a focus ring. */
function focusScreen(event: Event): void {
  event.preventDefault();
  if (event.target instanceof Element) event.target.querySelector<HTMLElement>("[data-screen]")?.focus();
}

/** After closing, the focus goes to the card of the last image. */
function useCardToReturnTo(viewed: Viewed | undefined): (event: Event) => void {
  const last = useRef<number>(undefined);
  useEffect(() => {
    if (viewed) last.current = viewed.imageId;
  }, [viewed]);
  return (event) => {
    event.preventDefault();
    document.querySelector<HTMLElement>(`article[data-image="${last.current}"]`)?.focus();
  };
}

interface ScreenProps {
  orderNumber: string;
  images: OrderImage[];
  options: OptionsToSend;
  isDeliverable: boolean;
  index: number;
  image: OrderImage;
  viewed: Viewed;
  onChange: (viewed: Viewed | undefined) => void;
}

function Screen(props: ScreenProps) {
  const { orderNumber, images, index, image, options, isDeliverable, viewed, onChange } = props;
  const { t } = useLanguage();
  const { view: wanted, looked } = viewed;
  const root = useFocusFallback();
  const frame = useRef<HTMLDivElement>(null);
  const sizes = usePictureSizes();
  const views = viewsOf(image);
  const view = shownView(image, wanted);
  const file = filesOf(image, view)?.at(-1) ?? null;
  const size = file === null ? undefined : sizes.get(file);
  const extent = useExtent(frame, size);
  const zoom = useZoom(`${image.id}/${view}`, extent);
  useWheel(root, frame, zoom);
  usePreloading(images, index, wanted, size?.isFull ?? false, sizes);
  const show = (next: View | undefined): void => {
    if (next && views.includes(next)) onChange({ imageId: image.id, view: next, looked });
  };
  const goTo = (place: number): void => {
    const next = images[place];
    // The requested view is kept across images that do not have it.
    if (next) onChange({ imageId: next.id, view: wanted });
  };
  const go = (by: number): void => goTo(index + by);
  const real = images[index] ?? image;
  const actions = useImageActions(orderNumber, real, options, isDeliverable);
  const approval = useApproval(orderNumber, real);
  const canEdit = useCanEdit() && isDeliverable;
  const editing = usePhotoEditing(real, isDeliverable);
  const keys: Record<string, () => void> = {
    e: editing.edit,
    ArrowLeft: () => go(-1),
    ArrowRight: () => go(1),
    k: () => go(-1),
    j: () => go(1),
    "+": zoom.larger,
    "=": zoom.larger,
    "-": zoom.smaller,
    "0": zoom.whole,
    z: zoom.toggle,
    ...(canEdit && {
      a: () => approval.approve(image.selected_version_ids.coloring ?? undefined),
      c: () => actions.generate("coloring"),
      v: () => actions.generate("svg"),
    }),
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.key.startsWith("Arrow")) return;
    const digit = /^(?:Digit|Numpad)([1-4])$/.exec(event.code)?.[1];
    const act = event.shiftKey && zoom.pan[event.key] ? zoom.pan[event.key] : keys[event.key];
    if (act) act();
    else if (digit && !event.shiftKey) show(VIEWS[Number(digit) - 1]);
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={root}
      data-screen
      tabIndex={-1}
      onKeyDown={onKeyDown}
      className="flex min-h-0 flex-1 flex-col outline-none"
    >
      <div className="flex flex-wrap items-center gap-2 px-3 py-2 sm:px-4">
        <Dialog.Title className="text-[13px] font-medium tabular-nums">
          {t("detail.photo", { position: image.position })}
          <span className="ml-2 font-normal text-[#aaa196]">{`${index + 1} / ${images.length}`}</span>
        </Dialog.Title>
        <Tabs views={views} view={view} onShow={show} />
        <div className="ml-auto flex items-center gap-1">
          <ZoomTools zoom={zoom} />
          {editing.isOffered && <Tool label={t("photo.edit")} icon="crop" onClick={editing.edit} />}
          {file !== null && (
            <a
              href={file}
              target="_blank"
              rel="noreferrer"
              aria-label={t("detail.file")}
              title={t("detail.file")}
              className="grid size-9 place-items-center rounded-[8px] hover:bg-white/10"
            >
              <Icon name="download" />
            </a>
          )}
          <Dialog.Close
            className="grid size-9 place-items-center rounded-[8px] hover:bg-white/10"
            aria-label={t("action.close")}
          >
            <Icon name="close" />
          </Dialog.Close>
        </div>
      </div>
      <div ref={frame} className="relative min-h-0 flex-1">
        <ViewerPicture
          key={image.id}
          image={image}
          view={view}
          zoom={zoom}
          frameSize={extent.frame}
          sizes={sizes}
        />
        <Turn side="left" label={t("detail.previous")} disabled={index === 0} onClick={() => go(-1)} />
        <Turn
          side="right"
          label={t("detail.next")}
          disabled={index === images.length - 1}
          onClick={() => go(1)}
        />
      </div>
      <ViewerBar
        orderNumber={orderNumber}
        images={images}
        index={index}
        image={image}
        view={view}
        actions={actions}
        isDeliverable={isDeliverable}
        onLook={(kind, id) => onChange({ imageId: image.id, view: kind, looked: { ...looked, [kind]: id } })}
        onGo={goTo}
      />
    </div>
  );
}

/** Zoom out, the percentage of the picture's own size, zoom in. The percentage toggles between it and the whole picture. */
function ZoomTools({ zoom }: { zoom: ZoomControl }) {
  const { t } = useLanguage();
  const isWhole = zoom.state.scale === 1;
  const action = t(isWhole ? "detail.zoom.actual" : "detail.zoom.whole");
  return (
    <>
      <Tool label={t("detail.zoom.out")} text="−" onClick={zoom.smaller} />
      <button
        type="button"
        data-zoom={zoom.state.scale.toFixed(2)}
        className="h-9 min-w-16 rounded-[8px] px-1 text-[13px] tabular-nums hover:bg-white/10"
        onClick={zoom.toggle}
        title={action}
      >
        {zoom.percent === undefined ? "–" : t("detail.zoom.percent", { percent: zoom.percent })}
        <span className="sr-only">{` ${action}`}</span>
      </button>
      <Tool label={t("detail.zoom.in")} icon="plus" onClick={zoom.larger} />
    </>
  );
}

interface TabsProps {
  views: readonly View[];
  view: View;
  onShow: (view: View) => void;
}

function Tabs({ views, view, onShow }: TabsProps) {
  const { t } = useLanguage();
  return (
    <div role="group" aria-label={t("detail.view.label")} className="flex rounded-[9px] bg-white/8 p-0.5">
      {VIEWS.map((one, index) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === view}
          disabled={!views.includes(one)}
          title={`${index + 1}`}
          onClick={() => onShow(one)}
          className={cn(
            "h-8 rounded-[7px] px-2.5 text-[13px] disabled:opacity-40",
            one === view ? "bg-[#f1ece4] text-[#1d1b18]" : "text-[#d6cec3] enabled:hover:text-white",
          )}
        >
          {t(`detail.view.${one}`)}
        </button>
      ))}
    </div>
  );
}

interface ToolProps {
  label: string;
  icon?: IconName;
  text?: string;
  onClick: () => void;
}

function Tool({ label, icon, text, onClick }: ToolProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="grid size-9 place-items-center rounded-[8px] text-lg hover:bg-white/10"
    >
      {icon ? <Icon name={icon} /> : text}
    </button>
  );
}

interface TurnProps {
  side: "left" | "right";
  label: string;
  disabled: boolean;
  onClick: () => void;
}

function Turn({ side, label, disabled, onClick }: TurnProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
      className={cn(
        "absolute top-1/2 grid size-11 -translate-y-1/2 place-items-center rounded-full bg-[rgb(20_18_15/0.74)] text-white hover:bg-black disabled:opacity-30",
        side === "left" ? "left-3" : "right-3",
      )}
    >
      <Icon name={side === "left" ? "chevronLeft" : "chevronRight"} className="size-5" />
    </button>
  );
}
