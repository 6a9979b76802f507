import * as arrival from "./texts/arrival";
import * as book from "./texts/book";
import * as bulk from "./texts/bulk";
import * as common from "./texts/common";
import * as history from "./texts/history";
import * as list from "./texts/list";
import * as order from "./texts/order";
import * as pause from "./texts/pause";
import * as photoEdit from "./texts/photoEdit";
import * as photos from "./texts/photos";
import * as review from "./texts/review";
import * as session from "./texts/session";
import * as shop from "./texts/shop";
import * as stages from "./texts/stages";
import * as system from "./texts/system";

/** A text, or its plural forms by the category that `Intl.PluralRules` gives the number `count`. */
export type Text = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);

const cs = {
  ...arrival.cs,
  ...book.cs,
  ...bulk.cs,
  ...common.cs,
  ...history.cs,
  ...list.cs,
  ...order.cs,
  ...pause.cs,
  ...photoEdit.cs,
  ...photos.cs,
  ...review.cs,
  ...session.cs,
  ...shop.cs,
  ...stages.cs,
  ...system.cs,
};

/** Every key; a text that is missing in a language is a type error. */
export type TextKey = keyof typeof cs;

const en: Record<TextKey, Text> = {
  ...arrival.en,
  ...book.en,
  ...bulk.en,
  ...common.en,
  ...history.en,
  ...list.en,
  ...order.en,
  ...pause.en,
  ...photoEdit.en,
  ...photos.en,
  ...review.en,
  ...session.en,
  ...shop.en,
  ...stages.en,
  ...system.en,
};

export type Language = "cs" | "en";

export const LANGUAGES: readonly Language[] = ["cs", "en"];

export const CATALOGUE: Record<Language, Record<TextKey, Text>> = { cs, en };
