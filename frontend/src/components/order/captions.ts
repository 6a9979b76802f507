import { useLanguage } from "@/i18n/context";
import type { Kind, OrderImage, SvgVersion, Version } from "./model";
import { pageOf } from "./versions";
import type { View } from "./views";

/** The name of a picture: of the photo by its position, of a version with what it was made from. */
export function useCaption(
  image: OrderImage,
  view: Exclude<View, "compare">,
  version: Version | undefined,
): string {
  const { t } = useLanguage();
  if (view === "photo" || !version)
    return view === "photo" ? t("detail.photo", { position: image.position }) : t(`detail.kind.${view}`);
  const mark =
    version.id === image.selected_version_ids[view satisfies Kind] ? "" : ` · ${t("review.candidate")}`;
  if (view === "coloring") return `${t("detail.kind.coloring")} v${version.version}${mark}`;
  const page = pageOf(image, version as SvgVersion)?.version ?? "?";
  return `SVG v${version.version} · ${t("detail.svg.source", { version: page })}${mark}`;
}
