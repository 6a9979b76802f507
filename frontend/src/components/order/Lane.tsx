import { useState, type ReactNode } from "react";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import type { ImageActions } from "./actions";
import { useCaption } from "./captions";
import { Generate } from "./Generate";
import type { Kind, OrderImage } from "./model";
import { VersionNotice } from "./VersionNotice";
import type { CardOptions } from "./useCardOptions";
import { useFocusFallback } from "./useFocusFallback";
import type { Sheet } from "./useSheet";
import { canChoose, obstacleTo, versionsOf, versionsToMention } from "./versions";
import { VersionStrip } from "./VersionStrip";

export interface LaneProps {
  kind: Kind;
  image: OrderImage;
  isDeliverable: boolean;
  actions: ImageActions;
  options: CardOptions;
  sheet: Sheet;
  /** Shown below the versions. */
  children?: ReactNode;
}

/** The page or the SVG of a photo: versions in progress, all versions, and what can be done. */
export function Lane({ kind, image, isDeliverable, actions, options, sheet, children }: LaneProps) {
  const { t } = useLanguage();
  const fallback = useFocusFallback();
  const [opened, setOpened] = useState<number>();
  const canEdit = useCanEdit();
  const shown = sheet.shown(kind);
  const caption = useCaption(image, kind, shown);
  const mentions = versionsToMention(versionsOf(image, kind), image.selected_version_ids[kind], opened);
  return (
    <div
      ref={fallback}
      role="group"
      tabIndex={-1}
      data-lane={kind}
      aria-label={t(`detail.kind.${kind}`)}
      className="flex min-w-0 flex-col gap-2 px-3 py-2.5 focus-visible:-outline-offset-2"
    >
      <p className="truncate text-xs text-mute tabular-nums" title={caption}>
        {caption}
      </p>
      {mentions.map((version) => (
        <VersionNotice
          key={version.id}
          kind={kind}
          version={version}
          busy={actions.isBusy(kind, version.id)}
          onCancel={() => actions.cancel(kind, version)}
          onRetry={() => actions.retry(kind, version)}
        />
      ))}
      <VersionStrip
        image={image}
        kind={kind}
        opened={opened}
        shown={shown?.id}
        onShow={(id) => sheet.look(kind, id)}
        onOpenError={(id) => setOpened((before) => (before === id ? undefined : id))}
      />
      {!shown?.url && mentions.length === 0 && <Missing kind={kind} image={image} />}
      {canEdit && shown && canChoose(image, kind, shown) && (
        <button
          type="button"
          className="button button-small self-start"
          onClick={() => actions.choose(kind, shown.id)}
        >
          {t("review.choose", { version: shown.version })}
        </button>
      )}
      {children}
      {isDeliverable && <Generate kind={kind} image={image} actions={actions} options={options} />}
    </div>
  );
}

/** Why there is no picture, and what to do about it. */
function Missing({ kind, image }: { kind: Kind; image: OrderImage }) {
  const { t } = useLanguage();
  // Viewers cannot do what the obstacle asks for.
  const obstacle = useCanEdit() ? obstacleTo(image, kind) : undefined;
  const unchosen = versionsOf(image, kind).some((version) => version.status === "completed");
  const page = image.selected_version_ids.coloring;
  const own = image.versions.svg.some(
    (svg) => svg.coloring_version_id === page && svg.status === "completed",
  );
  const text = unchosen
    ? t(kind === "svg" && page !== null && !own ? "review.svgOfOther" : `detail.unchosen.${kind}`)
    : t(obstacle ? `detail.obstacle.${obstacle}` : `detail.nothing.${kind}`);
  return <p className="text-[13px] text-mute">{text}</p>;
}
