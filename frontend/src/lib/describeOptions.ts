import type { Translate } from "@/i18n/context";
import type { ColoringOptions } from "./options";

/** "2 MP / 4 · bold lines": size, detail, and what differs from the default style. */
export function describeOptions(options: ColoringOptions, t: Translate): string {
  const { megapixels, steps, frame, background, line_weight } = options;
  const style = [
    frame === false && t("detail.noFrame"),
    background && background !== "quiet" && t(`detail.background.${background}.long`),
    line_weight && line_weight !== "normal" && t(`detail.lineWeight.${line_weight}.long`),
  ];
  return [`${megapixels} MP / ${steps}`, ...style].filter(Boolean).join(" · ");
}
