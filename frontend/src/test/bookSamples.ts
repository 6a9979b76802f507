import type { Book, Finding } from "@/lib/bookApi";
import type { BookOptions } from "@/lib/bookOptions";

export const BOOK_OPTIONS: BookOptions = {
  paper: "A4",
  width_mm: null,
  height_mm: null,
  orientation: "auto",
  bleed_mm: 0,
  has_crop_marks: false,
  inner_margin_mm: 0,
  backs: "printed",
  has_numbers: false,
  has_cover_photo: false,
  has_photo_page: false,
  copies: "repeat",
  font: "Nunito",
};

/** A version of a book; completed with two sheets by default. */
export function sampleBook(version: number, change: Partial<Book> = {}): Book {
  const isDone = change.status === undefined || change.status === "completed";
  return {
    version,
    status: "completed",
    progress: isDone ? 100 : 10,
    options: BOOK_OPTIONS,
    sheets: isDone ? 2 : null,
    created_at: "2026-11-23T10:00:00+01:00",
    completed_at: isDone ? "2026-11-23T10:00:05+01:00" : null,
    printed_at: null,
    is_forced: false,
    is_outdated: false,
    url: isDone ? `http://files/1/book/v${version}/1270.pdf` : null,
    previews: isDone ? [1, 2].map((n) => `http://files/1/book/v${version}/sheet_${n}.webp`) : [],
    ...change,
  };
}

export function sampleFinding(code: string, change: Partial<Finding> = {}): Finding {
  return {
    severity: "warning",
    code,
    message: `The sentence of ${code}.`,
    line_item_id: 3,
    image_id: null,
    values: {},
    ...change,
  };
}
