import { useLayoutEffect, useRef } from "react";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { ImageActions } from "./actions";
import { ViewerApproval } from "./Approval";
import type { Kind, OrderImage } from "./model";
import { Picture } from "./Picture";
import { canChoose, chosenVersion, obstacleTo, photoOf, versionsOf } from "./versions";
import type { View } from "./views";

interface ViewerBarProps {
  orderNumber: string;
  images: readonly OrderImage[];
  index: number;
  /** The image with the versions that are looked at as the chosen ones. */
  image: OrderImage;
  view: View;
  actions: ImageActions;
  isDeliverable: boolean;
  onLook: (kind: Kind, versionId: number) => void;
  onGo: (index: number) => void;
}

const BUTTON = "h-9 rounded-[8px] px-3 text-[13px] font-medium";

/** Below the picture: the versions of what is shown, what can be done with them, and the order's pictures. */
export function ViewerBar(props: ViewerBarProps) {
  const { orderNumber, images, index, image, view, actions, isDeliverable, onLook } = props;
  const { t } = useLanguage();
  const canEdit = useCanEdit() && isDeliverable;
  const kind = view === "svg" ? "svg" : "coloring";
  const real = images[index] ?? image;
  const shown = chosenVersion(image, kind);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-2 px-3 pt-2 pb-3 sm:px-4">
      <div className="flex flex-wrap items-center justify-center gap-2">
        <Versions image={real} kind={kind} shown={shown?.id} onLook={(id) => onLook(kind, id)} />
        {canEdit && shown && canChoose(real, kind, shown) && (
          <button
            type="button"
            className={`${BUTTON} bg-white/12 hover:bg-white/20`}
            onClick={() => actions.choose(kind, shown.id)}
          >
            {t("review.choose", { version: shown.version })}
          </button>
        )}
        {isDeliverable && (
          <ViewerApproval
            orderNumber={orderNumber}
            image={real}
            versionId={image.selected_version_ids.coloring}
          />
        )}
        {canEdit && !obstacleTo(real, kind) && (
          <button
            type="button"
            className={`${BUTTON} bg-white/12 hover:bg-white/20 aria-disabled:opacity-50`}
            aria-disabled={actions.isGenerating(kind)}
            onClick={() => actions.generate(kind)}
          >
            {t(`detail.${versionsOf(real, kind).length === 0 ? "generate" : "again"}.${kind}`)}
          </button>
        )}
      </div>
      {images.length > 1 && <Filmstrip {...props} />}
    </div>
  );
}

interface VersionsProps {
  image: OrderImage;
  kind: Kind;
  shown: number | undefined;
  onLook: (versionId: number) => void;
}

/** The versions to look at; the dot marks the chosen one. */
function Versions({ image, kind, shown, onLook }: VersionsProps) {
  const { t } = useLanguage();
  const versions = versionsOf(image, kind).filter((version) => version.url !== null);
  if (versions.length < 2) return null;
  return (
    <div
      role="group"
      aria-label={t(`detail.versions.${kind}`)}
      className="flex rounded-[9px] bg-white/8 p-0.5"
    >
      {versions.map((version) => {
        const isChosen = version.id === image.selected_version_ids[kind];
        return (
          <button
            key={version.id}
            type="button"
            aria-pressed={version.id === shown}
            aria-current={isChosen}
            title={t(isChosen ? "review.chosen" : "review.candidate")}
            onClick={() => onLook(version.id)}
            className={cn(
              "h-8 rounded-[7px] px-2.5 text-[13px] tabular-nums",
              version.id === shown ? "bg-[#f1ece4] text-[#1d1b18]" : "text-[#d6cec3] hover:text-white",
            )}
          >
            {`v${version.version}`}
            {isChosen && <span aria-hidden> •</span>}
          </button>
        );
      })}
    </div>
  );
}

/** The order's pictures; the present one is kept in sight. */
function Filmstrip({ images, index, onGo }: ViewerBarProps) {
  const { t } = useLanguage();
  const strip = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    // Only the strip itself scrolls: `scrollIntoView` would scroll the page behind the dialog, too.
    const present = strip.current?.querySelector<HTMLElement>("[aria-current=true]");
    if (strip.current && present)
      strip.current.scrollLeft = present.offsetLeft - (strip.current.clientWidth - present.clientWidth) / 2;
  }, [index]);
  return (
    <nav
      ref={strip}
      aria-label={t("viewer.strip")}
      className="relative flex [justify-content:safe_center] gap-1.5 overflow-x-auto"
    >
      {images.map((image, place) => {
        const picture = chosenVersion(image, "coloring")?.url ?? photoOf(image);
        return (
          <button
            key={image.id}
            type="button"
            aria-current={place === index}
            aria-label={t("detail.photo", { position: image.position })}
            onClick={() => onGo(place)}
            className={cn(
              "h-12 w-16 shrink-0 overflow-hidden rounded-[7px] border-2 bg-[#2a2622]",
              place === index ? "border-[#f1ece4]" : "border-transparent opacity-60 hover:opacity-100",
            )}
          >
            {picture && <Picture src={picture} alt="" small className="size-full bg-white object-contain" />}
          </button>
        );
      })}
    </nav>
  );
}
