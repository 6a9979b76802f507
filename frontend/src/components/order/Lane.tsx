import { useState, type ReactNode } from "react";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import type { ImageActions } from "./actions";
import { Generate } from "./Generate";
import type { Kind, OrderImage, SvgVersion, Version } from "./model";
import { VersionNotice } from "./VersionNotice";
import { Picture } from "./Picture";
import type { CardOptions } from "./useCardOptions";
import { useFocusFallback } from "./useFocusFallback";
import { chosenVersion, obstacleTo, pageOf, versionsOf, versionsToMention } from "./versions";
import { VersionStrip } from "./VersionStrip";

export interface LaneProps {
  image: OrderImage;
  isDeliverable: boolean;
  actions: ImageActions;
  options: CardOptions;
  /** Opens the full-screen view; of a version that is looked at, if it is not the chosen one. */
  onView: (versionId?: number) => void;
  /** Shown below the versions. */
  children?: (shown: Version | undefined) => ReactNode;
}

interface FrameProps {
  caption: string;
  /** Low on a phone while no picture can be made yet. */
  low?: boolean;
  children: ReactNode;
}

/** The frame of one picture, its caption below it; its size does not change when the picture loads. */
export function Frame({ caption, low = false, children }: FrameProps) {
  return (
    <figure>
      <div
        className={cn(
          "relative aspect-4/3 overflow-hidden bg-white dark:bg-soft",
          low && "max-md:aspect-4/1",
        )}
      >
        {children}
      </div>
      <figcaption
        title={caption}
        className="truncate border-t border-line px-3 pt-2 text-xs text-mute tabular-nums"
      >
        {caption}
      </figcaption>
    </figure>
  );
}

/** The page or the SVG of a photo: the chosen picture, versions in progress, and all versions. */
export function Lane({ kind, ...props }: LaneProps & { kind: Kind }) {
  const { image, isDeliverable, actions, options } = props;
  const { t } = useLanguage();
  const fallback = useFocusFallback();
  const [opened, setOpened] = useState<number>();
  const chosen = chosenVersion(image, kind);
  const [shown, setShown] = useShownVersion(image, kind);
  const mentions = versionsToMention(versionsOf(image, kind), image.selected_version_ids[kind], opened);
  // A chosen version whose file was lost is always shown, even if another one is in progress.
  const inPlace = chosen?.url ? undefined : (mentions.find(({ id }) => id === chosen?.id) ?? mentions.at(-1));
  const notice = (version: Version, panel: boolean): ReactNode => (
    <VersionNotice
      key={version.id}
      kind={kind}
      version={version}
      busy={actions.isBusy(kind, version.id)}
      onCancel={() => actions.cancel(kind, version)}
      onRetry={() => actions.retry(kind, version)}
      panel={panel}
    />
  );
  return (
    <div
      ref={fallback}
      role="group"
      tabIndex={-1}
      aria-label={t(`detail.kind.${kind}`)}
      className="flex min-w-0 flex-col bg-card focus-visible:-outline-offset-2"
    >
      <LanePicture kind={kind} {...props} shown={shown} notice={inPlace && notice(inPlace, true)} />
      <div className="flex flex-1 flex-col gap-2.5 p-3">
        {mentions.filter((version) => version !== inPlace).map((version) => notice(version, false))}
        <VersionStrip
          image={image}
          kind={kind}
          opened={opened}
          shown={shown?.id}
          onShow={setShown}
          onOpenError={(id) => setOpened((before) => (before === id ? undefined : id))}
        />
        {shown && shown.id !== chosen?.id && (
          <Choose image={image} kind={kind} version={shown} onChoose={() => actions.choose(kind, shown.id)} />
        )}
        {props.children?.(shown)}
        {isDeliverable && <Generate kind={kind} image={image} actions={actions} options={options} />}
      </div>
    </div>
  );
}

/** The version whose picture is shown: the one that is looked at, until another is chosen, or the chosen one. */
function useShownVersion(image: OrderImage, kind: Kind): [Version | undefined, (versionId: number) => void] {
  const chosenId = image.selected_version_ids[kind];
  const [looked, setLooked] = useState<{ id: number; chosenId: number | null }>();
  const isLookedAt = (version: Version): boolean =>
    looked?.chosenId === chosenId && version.id === looked.id && version.url !== null;
  const shown = versionsOf(image, kind).find(isLookedAt) ?? chosenVersion(image, kind);
  return [shown, (id) => setLooked({ id, chosenId })];
}

interface ChooseProps {
  image: OrderImage;
  kind: Kind;
  version: Version;
  onChoose: () => void;
}

/** Chooses the candidate that is looked at; not while the page is approved. */
function Choose({ image, kind, version, onChoose }: ChooseProps) {
  const { t } = useLanguage();
  const page = kind === "coloring" ? version.id : (version as SvgVersion).coloring_version_id;
  const isFrozen = image.approved_at && page !== image.selected_version_ids.coloring;
  if (!useCanEdit() || isFrozen) return null;
  return (
    <button type="button" className="button button-small self-start" onClick={onChoose}>
      {t("review.choose", { version: version.version })}
    </button>
  );
}

interface LanePictureProps extends LaneProps {
  kind: Kind;
  shown: Version | undefined;
  notice: ReactNode;
}

function LanePicture({ kind, image, shown, notice, onView }: LanePictureProps) {
  const { t } = useLanguage();
  const caption = useCaption(kind, image, shown);
  return (
    <Frame caption={caption} low={!shown?.url && !notice}>
      {shown?.url ? (
        <button
          type="button"
          onClick={() => onView(shown.id === image.selected_version_ids[kind] ? undefined : shown.id)}
          aria-label={t("detail.view.open", { what: caption })}
          className="block size-full cursor-zoom-in bg-white focus-visible:-outline-offset-2"
        >
          <Picture src={shown.url} alt={caption} small />
        </button>
      ) : (
        (notice ?? <EmptyLane kind={kind} image={image} />)
      )}
    </Frame>
  );
}

function useCaption(kind: Kind, image: OrderImage, shown: Version | undefined): string {
  const { t } = useLanguage();
  if (!shown) return t(`detail.kind.${kind}`);
  const mark = shown.id === image.selected_version_ids[kind] ? "" : ` · ${t("review.candidate")}`;
  if (kind === "coloring") return `${t("detail.kind.coloring")} v${shown.version}${mark}`;
  const page = pageOf(image, shown as SvgVersion)?.version ?? "?";
  return `SVG v${shown.version} · ${t("detail.svg.source", { version: page })}${mark}`;
}

function EmptyLane({ kind, image }: { kind: Kind; image: OrderImage }) {
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
  return (
    <p className="grid size-full place-items-center bg-soft p-6 text-center text-[13px] text-mute">{text}</p>
  );
}
