/** The order in which pages are reviewed; pure functions. */
import { deliverableImagesOf } from "@/components/order/cached-order";
import type { ColoringVersion, Order, OrderImage } from "@/components/order/model";

export interface Place {
  orderNumber: string;
  /** Null: the first image of the order that is to be reviewed. */
  imageId: number | null;
  /** Show the order although nothing in it is to be reviewed. */
  stays?: boolean;
}

export interface QueuedOrder {
  orderNumber: string;
  /** Undefined until the order is loaded. */
  images: readonly OrderImage[] | undefined;
  /** Images to review by the list, which counts until the order is loaded. */
  listed: number;
}

export type Queue = readonly QueuedOrder[];

/** Images with a decision of this user that the server has not confirmed. */
export type Decided = ReadonlySet<number>;

/** What a decision changes of an image. */
export type ImageState = Pick<OrderImage, "approved_at" | "selected_version_ids" | "rework_reason">;

/** At most so many candidates are shown large. */
const MOST_LARGE = 4;

/** The completed pages of an image, the oldest first; their places are the digits of the keyboard. */
export function candidatesOf(image: OrderImage): ColoringVersion[] {
  return image.versions.coloring.filter((page) => page.status === "completed" && page.url !== null);
}

/** The newest candidates, among them the one that would be approved. */
export function largeCandidates(image: OrderImage, picked: number | null): ColoringVersion[] {
  const all = candidatesOf(image);
  const newest = all.slice(-MOST_LARGE);
  const chosen = all.find((page) => page.id === picked);
  return !chosen || newest.includes(chosen) ? newest : [chosen, ...newest.slice(1)];
}

/** What is approved unless another page is picked: the chosen page, or else the newest. */
export function defaultPick(image: OrderImage): number | null {
  const all = candidatesOf(image);
  const chosen = all.find((page) => page.id === image.selected_version_ids.coloring);
  return (chosen ?? all.at(-1))?.id ?? null;
}

/** The images of an order that have anything to look at. */
export function reviewableImagesOf(order: Order): OrderImage[] {
  return deliverableImagesOf(order).filter(
    (image) => candidatesOf(image).length > 0 || image.selected_version_ids.coloring !== null,
  );
}

/**
 * The queue with the states of images whose requests are on their way: what the server sends meanwhile, an event
 * or a response, may be older.
 */
export function withPending(queue: Queue, pending: ReadonlyMap<number, ImageState>): Queue {
  if (pending.size === 0) return queue;
  return queue.map((order) => ({
    ...order,
    images: order.images?.map((image) => ({ ...image, ...pending.get(image.id) })),
  }));
}

/** By the rule of the API's `to_review`: the chosen page is completed and not approved. */
export function isToReview(image: OrderImage, decided: Decided): boolean {
  const chosen = image.selected_version_ids.coloring;
  const isChosen = image.versions.coloring.some((page) => page.id === chosen && page.status === "completed");
  return isChosen && !image.approved_at && !decided.has(image.id);
}

function leftIn(order: QueuedOrder, decided: Decided): number {
  return order.images?.filter((image) => isToReview(image, decided)).length ?? order.listed;
}

/** How many pages are left in the orders of the queue. */
export function leftOf(queue: Queue, decided: Decided): number {
  return queue.reduce((sum, order) => sum + leftIn(order, decided), 0);
}

function entryOf(order: QueuedOrder, decided: Decided): Place {
  const first = order.images?.find((image) => isToReview(image, decided));
  return { orderNumber: order.orderNumber, imageId: first?.id ?? null };
}

function indexOf(queue: Queue, place: Place): number {
  return queue.findIndex((order) => order.orderNumber === place.orderNumber);
}

/** The next page to review: later in the order, else in the next order that has one, else earlier in the order. */
export function nextPlace(queue: Queue, from: Place | null, decided: Decided): Place | null {
  const here = from ? indexOf(queue, from) : -1;
  const images = queue[here]?.images ?? [];
  const at = images.findIndex((image) => image.id === from?.imageId);
  const others = here < 0 ? queue : [...queue.slice(here + 1), ...queue.slice(0, here)];
  const later = images.slice(at + 1).find((image) => isToReview(image, decided));
  if (from && later) return { orderNumber: from.orderNumber, imageId: later.id };
  const order = others.find((other) => leftIn(other, decided) > 0);
  if (order) return entryOf(order, decided);
  const earlier = images.slice(0, Math.max(at, 0)).find((image) => isToReview(image, decided));
  return from && earlier ? { orderNumber: from.orderNumber, imageId: earlier.id } : null;
}

/** The place that is shown for a wanted one: with its image, or the next if nothing is there to review. */
export function settle(queue: Queue, wanted: Place | null, decided: Decided): Place | null {
  const order = wanted && queue[indexOf(queue, wanted)];
  if (!wanted || !order) return nextPlace(queue, null, decided);
  if (!order.images || order.images.some((image) => image.id === wanted.imageId)) return wanted;
  const entry = entryOf(order, decided);
  if (entry.imageId !== null) return entry;
  const [first] = order.images;
  if (wanted.stays && first) return { orderNumber: order.orderNumber, imageId: first.id };
  return nextPlace(queue, wanted, decided);
}

/** The image before or after, whether it is approved or not; past the ends the neighboring order. */
export function stepFrom(queue: Queue, from: Place, by: 1 | -1): Place | null {
  const images = queue[indexOf(queue, from)]?.images ?? [];
  const image = images[images.findIndex(({ id }) => id === from.imageId) + by];
  return image ? { orderNumber: from.orderNumber, imageId: image.id } : turnFrom(queue, from, by);
}

/** The order before or after. */
export function turnFrom(queue: Queue, from: Place, by: 1 | -1): Place | null {
  const order = queue[indexOf(queue, from) + by];
  return order ? { orderNumber: order.orderNumber, imageId: null, stays: true } : null;
}

/** The next `count` images to review in the orders that are loaded. */
export function upcoming(queue: Queue, from: Place, decided: Decided, count: number): OrderImage[] {
  const found: OrderImage[] = [];
  let place = nextPlace(queue, from, decided);
  while (place && found.length < count) {
    const { orderNumber, imageId } = place;
    const order = queue.find((other) => other.orderNumber === orderNumber);
    const image = order?.images?.find(({ id }) => id === imageId);
    if (!image || found.includes(image)) break;
    found.push(image);
    place = nextPlace(queue, place, decided);
  }
  return found;
}

/** The order that is loaded in advance: the next one with anything to review. */
export function nextOrder(queue: Queue, from: Place, decided: Decided): string | undefined {
  const here = indexOf(queue, from);
  const others = [...queue.slice(here + 1), ...queue.slice(0, Math.max(here, 0))];
  return others.find((order) => leftIn(order, decided) > 0)?.orderNumber;
}
