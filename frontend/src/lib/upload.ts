import { ApiError, refusal } from "@/api/client";
import type { Failure, Order } from "@/types";
import type { ColoringOptions } from "./options";

export interface NewOrder {
  photos: readonly File[];
  customerName: string;
  note: string;
  process: "none" | "coloring" | "svg";
  /** Of the pages; undefined: the API's. */
  coloring: ColoringOptions | undefined;
  book: NewBook;
}

/** What the book is made of, as typed; empty values have defaults. */
export interface NewBook {
  title: string;
  quantity: string;
  dedication: string;
  layout: string;
}

/** The sent fraction of each file, 0 to 1, after `sent` bytes in total: files are sent one after another. */
export function fileProgress(sizes: readonly number[], sent: number): number[] {
  let before = 0;
  return sizes.map((size) => {
    const share = size === 0 ? Number(sent >= before) : Math.min(Math.max((sent - before) / size, 0), 1);
    before += size;
    return share;
  });
}

function formOf({ photos, customerName, note, process, coloring, book }: NewOrder): FormData {
  const form = new FormData();
  for (const photo of photos) form.append("photos", photo);
  if (customerName) form.append("customer_name", customerName);
  if (note) form.append("note", note);
  form.append("process", process);
  for (const [name, value] of Object.entries(book)) if (value) form.append(name, value as string);
  if (coloring) form.append("coloring_options", JSON.stringify(coloring));
  return form;
}

/** A rejected file, by its position in the request, from 1. */
export interface RefusedPhoto {
  position: number;
  name: string;
  code: string;
  detail: string;
}

/** A created order; `refused_photos` is present if some of the files were rejected. */
export interface CreatedOrder extends Order {
  refused_photos?: RefusedPhoto[];
}

const PLACE = /^photos\[(\d+)\]$/;

/** The reason of each rejected file of a created order. */
export function refusedOf(photos: readonly File[], order: CreatedOrder): Map<File, Failure> {
  const refused = order.refused_photos ?? [];
  return byFile(
    photos,
    refused.map(({ position, code, detail }) => [position, { code, message: detail }]),
  );
}

/** The reason of each rejected file if no order was created because none is a photo. */
export function refusedBy(photos: readonly File[], error: unknown): Map<File, Failure> {
  const faults = error instanceof ApiError ? (error.problem?.errors ?? []) : [];
  return byFile(
    photos,
    faults.map(({ field, code, message }) => {
      const position = Number(PLACE.exec(field)?.[1]);
      // The tile already shows the file name.
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

/** Create an order from photos. `onProgress` gets the sent fraction of each file, which `fetch` does not report. */
export function createOrder(order: NewOrder, onProgress: (shares: number[]) => void): Promise<CreatedOrder> {
  const sizes = order.photos.map((photo) => photo.size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.responseType = "json";
    // Includes the multipart headers, which are negligible.
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
