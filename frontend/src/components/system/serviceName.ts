import type { Translate } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";

/** Display name of a service; its technical name if it is unknown. */
export function serviceName(name: string, t: Translate): string {
  const key = `system.service.${name}`;
  return isTextKey(key) ? t(key) : name;
}
