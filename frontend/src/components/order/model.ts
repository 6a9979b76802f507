/** Short names of the API's types for the components of this page. */
import type { components } from "@/api/schema";
import {
  COLORING_STATUS_DISPLAY,
  getColoringStatusDisplay,
  getSvgStatusDisplay,
  SVG_STATUS_DISPLAY,
  type ColoringVersion,
  type StatusDisplay,
  type SvgVersion,
} from "@/types";

export { COLORING_STATUS_DISPLAY, SVG_STATUS_DISPLAY };
export type {
  ColoringVersion,
  Failure,
  LineItem,
  Order,
  OrderImage,
  SelectedVersionIds,
  SvgVersion,
} from "@/types";

export type Kind = "coloring" | "svg";
export type Version = ColoringVersion | SvgVersion;
export type TimelineEntry = components["schemas"]["TimelineEntry"];
export type OrderQueue = components["schemas"]["OrderQueueResponse"];
export type Timeline = components["schemas"]["TimelineResponse"];

export function statusDisplay(kind: Kind, status: string): StatusDisplay {
  return kind === "coloring" ? getColoringStatusDisplay(status) : getSvgStatusDisplay(status);
}
