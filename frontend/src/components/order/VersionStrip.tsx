import { useLanguage, type Translate } from "@/i18n/context";
import { StatusBadge } from "@/components/StatusBadge";
import { cn } from "@/lib/cn";
import { describeOptions } from "@/lib/describeOptions";
import type { ColoringVersion, Kind, OrderImage, SvgVersion, Version } from "./model";
import { Picture } from "./Picture";
import { isCancelled, pageOf, versionsOf } from "./versions";

interface VersionStripProps {
  image: OrderImage;
  kind: Kind;
  /** The failed version whose reason is shown. */
  opened: number | undefined;
  /** The version whose picture is shown; looking at one does not choose it. */
  shown: number | undefined;
  onShow: (versionId: number) => void;
  onOpenError: (versionId: number) => void;
}

/** Every version of a lane as a tile; a completed one can be looked at, a failed one shows its reason. */
export function VersionStrip({ image, kind, opened, shown, onShow, onOpenError }: VersionStripProps) {
  const { t } = useLanguage();
  const versions = versionsOf(image, kind);
  if (versions.length === 0) return null;
  return (
    <ul aria-label={t(`detail.versions.${kind}`)} className="flex flex-wrap gap-2">
      {versions.map((version) => (
        <li key={version.id}>
          <Tile
            kind={kind}
            version={version}
            options={describe(image, kind, version, t)}
            chosen={image.selected_version_ids[kind] === version.id}
            shown={shown === version.id}
            open={opened === version.id}
            onShow={() => onShow(version.id)}
            onOpenError={() => onOpenError(version.id)}
          />
        </li>
      ))}
    </ul>
  );
}

interface TileProps {
  kind: Kind;
  version: Version;
  options: string;
  chosen: boolean;
  shown: boolean;
  open: boolean;
  onShow: () => void;
  onOpenError: () => void;
}

const TILE =
  "flex min-h-11 items-center gap-2.5 rounded-[11px] border p-1 pr-2.5 text-left text-xs transition-colors";

function Tile({ kind, version, options, chosen, shown, open, onShow, onOpenError }: TileProps) {
  const inside = <TileContent kind={kind} version={version} options={options} chosen={chosen} />;
  if (version.status === "completed") {
    return (
      <button
        type="button"
        aria-pressed={shown}
        aria-current={chosen}
        onClick={onShow}
        className={cn(
          TILE,
          chosen ? "border-ink ring-1 ring-ink ring-inset" : "border-line hover:bg-soft",
          shown && "bg-soft",
        )}
      >
        {inside}
      </button>
    );
  }
  if (version.status === "error") {
    return (
      <button
        type="button"
        aria-expanded={open}
        onClick={onOpenError}
        className={`${TILE} border-line hover:bg-soft`}
      >
        {inside}
      </button>
    );
  }
  return <div className={`${TILE} border-dashed border-line`}>{inside}</div>;
}

type TileContentProps = Pick<TileProps, "kind" | "version" | "options" | "chosen">;

function TileContent({ kind, version, options, chosen }: TileContentProps) {
  const { t } = useLanguage();
  const isCompleted = version.status === "completed";
  return (
    <>
      {version.url !== null && (
        <Picture
          src={version.url}
          alt=""
          small
          className="size-9 shrink-0 rounded-[7px] border border-line bg-white object-cover"
        />
      )}
      <span className={version.url === null ? "pl-1.5" : ""}>
        <span className="flex items-center gap-1.5">
          <b className="font-semibold">v{version.version}</b>
          <StatusBadge
            kind={kind}
            status={version.status}
            cancelled={isCancelled(version)}
            // Completed work is silent: color is for what needs a person.
            isSilent={isCompleted}
          />
          {isCompleted && (
            <span className={chosen ? "font-medium" : "text-mute"}>
              {t(chosen ? "review.chosen" : "review.candidate")}
            </span>
          )}
        </span>
        <span className="block text-mute">{options}</span>
        {"photo_changed" in version && version.photo_changed && (
          <span className="block text-run">{t("photo.changed")}</span>
        )}
        {version.possibly_paid_twice && (
          <span className="block text-bad" title={t("detail.paidTwice.text")}>
            {t("detail.paidTwice")}
          </span>
        )}
      </span>
    </>
  );
}

/** "2 MP / 4 · bold lines" of a page; "from page v2 · stacked · by color" of an SVG. */
function describe(image: OrderImage, kind: Kind, version: Version, t: Translate): string {
  return kind === "coloring"
    ? describeOptions((version as ColoringVersion).options, t)
    : describeSvg(image, version as SvgVersion, t);
}

function describeSvg(image: OrderImage, svg: SvgVersion, t: Translate): string {
  const source = t("detail.svg.source", { version: pageOf(image, svg)?.version ?? "?" });
  return `${source} · ${describeSvgOptions(svg.options, t)}`;
}

export function describeSvgOptions(options: SvgVersion["options"], t: Translate): string {
  return `${nameStacking(options.shape_stacking, t)} · ${nameGrouping(options.group_by, t)}`;
}

/** The API's value in the reader's language; an unknown one unchanged. */
export function nameStacking(value: string, t: Translate): string {
  switch (value) {
    case "stacked":
    case "cutouts":
    case "none":
      return t(`detail.stacking.${value}`);
    default:
      return value;
  }
}

export function nameGrouping(value: string, t: Translate): string {
  switch (value) {
    case "color":
    case "layer":
    case "parent":
    case "none":
      return t(`detail.grouping.${value}`);
    default:
      return value;
  }
}
