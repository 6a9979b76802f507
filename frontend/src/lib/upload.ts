import { ApiError, refusal } from "@/api/client";
import type { Failure, Order } from "@/types";

export interface NewOrder {
  photos: readonly File[];
  customerName: string;
  note: string;
  process: "none" | "coloring" | "svg";
}

/** How much of each file has been sent, 0 to 1, when `sent` of all their bytes have: they go one after another. */
export function fileProgress(sizes: readonly number[], sent: number): number[] {
  let before = 0;
  return sizes.map((size) => {
    const share = size === 0 ? Number(sent >= before) : Math.min(Math.max((sent - before) / size, 0), 1);
    before += size;
    return share;
  });
}

function formOf({ photos, customerName, note, process }: NewOrder): FormData {
  const form = new FormData();
  for (const photo of photos) form.append("photos", photo);
  if (customerName) form.append("customer_name", customerName);
  if (note) form.append("note", note);
  form.append("process", process);
  return form;
}

/** A file that was not stored, by its place among those sent, from 1. */
export interface RefusedPhoto {
  position: number;
  name: string;
  code: string;
  detail: string;
}

/** An order that was made; `refused_photos` is there when some of the files were left out. */
export interface CreatedOrder extends Order {
  refused_photos?: RefusedPhoto[];
}

const PLACE = /^photos\[(\d+)\]$/;

/** Why each file was refused, of an order that was made without them. */
export function refusedOf(photos: readonly File[], order: CreatedOrder): Map<File, Failure> {
  const refused = order.refused_photos ?? [];
  return byFile(
    photos,
    refused.map(({ position, code, detail }) => [position, { code, message: detail }]),
  );
}

/** Why each file was refused, where no order was made because none of them is a photo. */
export function refusedBy(photos: readonly File[], error: unknown): Map<File, Failure> {
  const faults = error instanceof ApiError ? (error.problem?.errors ?? []) : [];
  return byFile(
    photos,
    faults.map(({ field, code, message }) => {
      const position = Number(PLACE.exec(field)?.[1]);
      // The tile names the file already.
      const name = `${photos[position - 1]?.name ?? ""}: `;
      return [position, { code, message: message.startsWith(name) ? message.slice(name.length) : message }];
    }),
  );
}

function byFile(photos: readonly File[], faults: (readonly [number, Failure])[]): Map<File, Failure> {
  const found = new Map<File, Failure>();
  for (const [position, failure] of faults) {
    const photo = photos[position - 1];
    if (photo) found.set(photo, failure);
  }
  return found;
}

/** Make an order of photos. `onProgress` gets each file's share sent; `fetch` cannot tell, so this is XMLHttpRequest. */
export function createOrder(order: NewOrder, onProgress: (shares: number[]) => void): Promise<CreatedOrder> {
  const sizes = order.photos.map((photo) => photo.size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "json";
    // The form's own lines are a few bytes more than the files; in proportion they do not matter.
    request.upload.onprogress = ({ loaded, total: all }) =>
      onProgress(fileProgress(sizes, (loaded / all) * total));
    request.onload = () => {
      const body: unknown = request.response;
      if (request.status === 201) resolve(body as CreatedOrder);
      else reject(refusal(request.status, body, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new ApiError(0, null));
    request.open("POST", "/api/v1/orders");
    request.send(formOf(order));
  });
}
