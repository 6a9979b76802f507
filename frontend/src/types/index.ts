// The types and display maps of the plan, which is binding to the letter. `src/lib/api.ts` assigns the generated
// types of the API to them, so that a difference fails to compile.

import type { PhotoEdit } from "@/lib/photoEdit";

export interface ColoringOptions {
  megapixels: number;
  steps: number;
  /** Added since: only there where they differ from `true`, `quiet` and `normal`. */
  frame?: boolean | null;
  background?: "keep" | "quiet" | "none" | null;
  line_weight?: "thin" | "normal" | "bold" | null;
}

export interface SvgOptions {
  shape_stacking: string;
  group_by: string;
}

/** Why a version or a photo ended in `error`: a code for programs and a message for people. */
export interface Failure {
  code: string;
  message: string;
}

/** A transient failure of an attempt; another attempt follows. */
export interface NextAttempt extends Failure {
  /** Number of failed attempts, and the maximum, after which the version ends in `error`. */
  attempt: number;
  of: number;
  next_at: string;
}

export interface ColoringVersion {
  id: number;
  version: number;
  url: string | null;
  status: string;
  options: ColoringOptions;
  created_at: string;
  error?: Failure | null;
  retry?: NextAttempt | null;
  /** The job was submitted again because the response to the first submission was lost. */
  possibly_paid_twice?: true | null;
  /** Present if the page was made from another photo, or another edit of it. */
  photo_changed?: true | null;
}

export interface SvgVersion {
  id: number;
  version: number;
  url: string | null;
  status: string;
  coloring_version_id: number;
  options: SvgOptions;
  created_at: string;
  error?: Failure | null;
  retry?: NextAttempt | null;
  /** The job was submitted again because the response to the first submission was lost. */
  possibly_paid_twice?: true | null;
}

export interface Versions {
  coloring: ColoringVersion[];
  svg: SvgVersion[];
}

export interface SelectedVersionIds {
  coloring: number | null;
  svg: number | null;
}

export interface Image {
  id: number;
  position: number;
  url: string | null;
  downloaded_at: string | null;
  selected_version_ids: SelectedVersionIds;
  versions: Versions;
  error?: Failure | null;
  /** Present if a person approved the chosen page: the choice is frozen. */
  approved_at?: string | null;
  approved_by?: string | null;
  /** Present if a person sent the page back, until the next choice. */
  rework_reason?: string | null;
  /** Present if the photo is edited: `url` is the edited one. */
  original_url?: string | null;
  photo_edit?: PhotoEdit | null;
}

/** The plan's name for the response of `fetchImage`. */
export type OrderImage = Image;

export interface LineItem {
  id: number;
  title: string;
  quantity: number;
  dedication: string | null;
  layout: string | null;
  images: Image[];
  /** Present if the shop removed the item: nothing is generated or printed for it. */
  removed?: true | null;
  /** The shop's values of the fields that were changed here; absent if there are none. */
  shop_values?: ShopValues | null;
  /** Present if the shop changed one of `shop_values` after it was changed here. */
  shop_changed_at?: string | null;
}

export interface ShopValues {
  title?: string | null;
  quantity?: number | null;
  dedication?: string | null;
  layout?: string | null;
}

export type Stage =
  | "intake"
  | "attention"
  | "to_generate"
  | "generating"
  | "to_review"
  | "approved"
  | "printed"
  | "shipped"
  | "on_hold"
  | "cancelled";

export interface OrderHead {
  id: number;
  order_number: string;
  source: "shopify" | "manual";
  shopify_id: number | null;
  customer_name: string | null;
  customer_email: string | null;
  payment_status: string | null;
  shipping_method: string | null;
  status: string;
  /** What an operator has to do. */
  stage: Stage;
  /** Images without a page whose photo or newest page failed. */
  failed: number;
  /** Images of which a page or an SVG is being made. */
  in_progress: number;
  /** Images with a chosen page that is not approved. */
  to_review: number;
  /** What needs attention, whatever the stage; absent if nothing does. */
  attention?: ("failed" | "paid_twice" | "shop_changed")[] | null;
  on_hold_reason?: string | null;
  printed_at?: string | null;
  shipped_at?: string | null;
  note?: string | null;
  /** Who is responsible for it; absent if there is no one. */
  assignee?: string | null;
  created_at: string;
  updated_at: string;
  /** Present if the shop cancelled the order: nothing is generated or printed for it. */
  cancelled_at?: string | null;
  /** URL of the order in the shop's administration; present if the shop is known. */
  shop_url?: string | null;
  /** Fields of the shop's last webhook that could not be read; absent if there are none. */
  unread_fields?: string[] | null;
}

export interface Order extends OrderHead {
  /** The shop's customer, if it was changed here; absent otherwise. */
  shop_values?: { customer_name?: string | null } | null;
  /** Present if the shop changed it afterwards. */
  shop_changed_fields?: string[] | null;
  line_items: LineItem[];
}

export interface OrderListItem extends OrderHead {
  /** Books of the order, without those that the shop removed. */
  item_count: number;
  image_count: number;
  coloring_completed: number;
  svg_completed: number;
  thumbnails: string[];
}

export interface OrderPage {
  items: OrderListItem[];
  next_cursor: string | null;
  /** Orders with the filter: exact up to 999, 1000 stands for more; null with a search. */
  total?: number | null;
  /** Whether orders can be fetched from the shop. */
  shop_configured?: boolean;
}

export interface MercureEvent {
  /** Added since: `queue_update`, a queue was paused or resumed. */
  type: "order_update" | "list_update" | "image_status" | "queue_update";
  order_number?: string;
  image_id?: number;
  status_type?: "coloring" | "svg";
  version_id?: number;
  status?: string;
}

export interface StatusDisplay {
  label: string;
  color: string;
}

export const COLORING_STATUS_DISPLAY: Record<string, { label: string; color: string }> = {
  pending: { label: "Čeká na odeslání", color: "bg-gray-100 text-gray-800" },
  queued: { label: "Čeká ve frontě", color: "bg-blue-100 text-blue-800" },
  processing: { label: "Zpracovává se...", color: "bg-blue-100 text-blue-800" },
  runpod_submitting: { label: "Runpod: odesílání na server", color: "bg-blue-100 text-blue-800" },
  runpod_submitted: { label: "Runpod: úloha přijata", color: "bg-blue-100 text-blue-800" },
  runpod_queued: { label: "Runpod: čeká ve frontě", color: "bg-yellow-100 text-yellow-800" },
  runpod_processing: { label: "Runpod: Probíhá zpracování", color: "bg-yellow-100 text-yellow-800" },
  completed: { label: "Dokončeno", color: "bg-green-100 text-green-800" },
  error: { label: "Chyba", color: "bg-red-100 text-red-800" },
};

export const SVG_STATUS_DISPLAY: Record<string, { label: string; color: string }> = {
  pending: { label: "Čeká na odeslání", color: "bg-gray-100 text-gray-800" },
  queued: { label: "Čeká ve frontě", color: "bg-blue-100 text-blue-800" },
  processing: { label: "Zpracovává se...", color: "bg-blue-100 text-blue-800" },
  vectorizer_processing: { label: "Vectorizer: Probíhá zpracování", color: "bg-yellow-100 text-yellow-800" },
  completed: { label: "Dokončeno", color: "bg-green-100 text-green-800" },
  error: { label: "Chyba", color: "bg-red-100 text-red-800" },
};

/** The status of an order, which depends on its photos. */
export const ORDER_STATUS_DISPLAY: Record<string, { label: string; color: string }> = {
  pending: { label: "Čeká na zpracování", color: "bg-gray-100 text-gray-800" },
  downloading: { label: "Stahování...", color: "bg-blue-100 text-blue-800" },
  processing: { label: "Zpracování...", color: "bg-yellow-100 text-yellow-800" },
  ready_for_review: { label: "Ke kontrole", color: "bg-green-100 text-green-800" },
  error: { label: "Chyba", color: "bg-red-100 text-red-800" },
};

const UNKNOWN_COLOR = "bg-gray-100 text-gray-800";

/** An unknown status is shown unchanged, on gray. */
function display(map: Record<string, StatusDisplay>, status: string | null): StatusDisplay {
  if (status === null) return { label: "", color: UNKNOWN_COLOR };
  return map[status] ?? { label: status, color: UNKNOWN_COLOR };
}

export function getColoringStatusDisplay(status: string | null): { label: string; color: string } {
  return display(COLORING_STATUS_DISPLAY, status);
}

export function getSvgStatusDisplay(status: string | null): { label: string; color: string } {
  return display(SVG_STATUS_DISPLAY, status);
}

export function getOrderStatusDisplay(status: string | null): { label: string; color: string } {
  return display(ORDER_STATUS_DISPLAY, status);
}

/** Whether a version with this status has ended. */
export function isFinal(status: string): boolean {
  return status === "completed" || status === "error";
}
