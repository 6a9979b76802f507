import { describe, expect, it } from "vitest";
import { failureSentence } from "./failure";
import { ApiError, asProblem } from "@/api/client";
import type { TextKey } from "@/i18n/catalogue";
import { translate, type Values } from "@/i18n/translate";

const t = (key: TextKey, values?: Values) => translate("en", key, values);

function refusal(status: number, code: string, detail: string) {
  return new ApiError(status, asProblem({ type: `urn:pastelka:${code}`, title: "No", status, code, detail }));
}

describe("failureSentence", () => {
  it("returns the catalogue's text for the API's code", () => {
    expect(failureSentence(refusal(409, "nothing_to_do", "x"), t)).toMatch(/^There is nothing to do/);
  });

  it("has a text for too many requests in both languages", () => {
    const tooMany = refusal(429, "too_many_requests", "At most 120 requests a minute ...");
    expect(failureSentence(tooMany, t)).toMatch(/^Too many requests;/);
    const inCzech = (key: TextKey, values?: Values) => translate("cs", key, values);
    expect(failureSentence(tooMany, inCzech)).toMatch(/^Příliš mnoho požadavků/);
  });

  it("returns the API's sentence for an unknown code", () => {
    expect(failureSentence(refusal(422, "brand_new_code", "a.jpg is 1 pixel wide."), t)).toBe(
      "a.jpg is 1 pixel wide.",
    );
  });

  it("distinguishes no response from a response without a problem document", () => {
    expect(failureSentence(new ApiError(0, null), t)).toMatch(/is not responding/);
    expect(failureSentence(new ApiError(502, asProblem("<html>")), t)).toContain("502");
  });
});
