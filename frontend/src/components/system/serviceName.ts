import type { Translate } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";

/** What a service is called; its own name where this build does not know it. */
export function serviceName(name: string, t: Translate): string {
  const key = `system.service.${name}`;
  return isTextKey(key) ? t(key) : name;
}
