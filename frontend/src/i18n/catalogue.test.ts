import { describe, expect, it } from "vitest";
import { CATALOGUE, LANGUAGES, type Language, type Text, type TextKey } from "./catalogue";
import { CZECH } from "./failures";
import { translate } from "./translate";

const forms = (text: Text): string[] => (typeof text === "string" ? [text] : Object.values(text));

/** Every form of every text by its key; in Czech also the sentences of failures. */
function texts(language: Language): [string, string][] {
  const catalogue = Object.entries(CATALOGUE[language]).flatMap(([key, text]) =>
    forms(text).map((form): [string, string] => [key, form]),
  );
  return language === "cs" ? [...catalogue, ...Object.entries(CZECH)] : catalogue;
}

/** Texts in which `pattern` occurs. */
const having = (language: Language, pattern: RegExp): [string, string][] =>
  texts(language).filter(([, text]) => pattern.test(text));

/** Every text as it is shown, with a number for each placeholder. */
function shown(language: Language): [string, string][] {
  const values = new Proxy<Record<string, number>>({}, { get: () => 5 });
  return Object.keys(CATALOGUE[language]).map((key) => [key, translate(language, key as TextKey, values)]);
}

describe("the texts", () => {
  it("have each key in one module: another module's text would replace it", () => {
    const modules = import.meta.glob<Record<Language, object>>("./texts/*.ts", { eager: true });
    for (const language of LANGUAGES) {
      const keys = Object.values(modules).flatMap((module) => Object.keys(module[language]));
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
      expect(keys).toHaveLength(Object.keys(CATALOGUE[language]).length);
    }
  });
});

describe("the Czech texts", () => {
  it("keep a one-letter preposition with its word, and a number with its unit", () => {
    const broken = /(?<![\p{L}\p{N}])[KSVZOUksvzou] |\d (?:%|s|min|h|MB|MP)(?![\p{L}\p{N}])/u;
    expect(shown("cs").filter(([, text]) => broken.test(text))).toEqual([]);
    expect(translate("cs", "detail.svg.source", { version: 2 })).toBe("z\u00a0omalovánky v2");
    expect(translate("cs", "detail.zoom.percent", { percent: 40 })).toBe("40\u00a0%");
  });

  it("have one ellipsis, that of the plan's labels", () => {
    expect(having("cs", /…|(?<!\.)\.\.(?!\.)/)).toEqual([]);
  });

  it("quote „like this“", () => {
    expect(having("cs", /["”»«]|(?<!„[^“]*)“|„(?![^“]*“)/)).toEqual([]);
  });

  it("are formal: nothing colloquial, no first person, no second person singular", () => {
    const colloquial =
      /(?<!\p{L})(?:tahle|tenhle|tohle|tuhle|téhle|tomhle|tímhle|tyhle|nejde|tady|dělá)(?!\p{L})/iu;
    const firstPerson =
      /(?<!\p{L})(?:spouštím|nahrávám|ukládám|načítám|stahuji|hledám|generuji|zjišťuji|obnovuji|umíme|víme|nevíme|máme|můžeme|\p{L}+ujeme)(?!\p{L})/iu;
    const singular = /(?<!\p{L})(?:zkus|vyber|nahraj|počkej|otevři|klikni|můžeš|máš|tvoje|tvůj)(?!\p{L})/iu;
    for (const pattern of [colloquial, firstPerson, singular]) expect(having("cs", pattern)).toEqual([]);
  });

  it("use the words of the field", () => {
    const wrong = /z Shopify|pracovník|bodů|Tisk PDF|(?:vygenerujte|novou) stránku/i;
    expect(having("cs", wrong)).toEqual([]);
  });
});

describe("the English texts", () => {
  it("are American", () => {
    const british =
      /colour|\w+(?:vector|organ|recogn|initial)is|cancell(?!ation)|vectoris|grey\b|centre|favour|licence/i;
    expect(having("en", british)).toEqual([]);
  });

  it("have one ellipsis, that of the plan's labels", () => {
    expect(having("en", /…/)).toEqual([]);
  });
});
