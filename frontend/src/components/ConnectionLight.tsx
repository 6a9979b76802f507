import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { useConnection, type ConnectionState } from "@/lib/connection";

const COLOR: Record<ConnectionState, string> = {
  live: "bg-[#2fb36d] shadow-[0_0_0_3px_rgb(47_179_109_/_0.18)]",
  reconnecting: "animate-breathe bg-[#e0a11b] shadow-[0_0_0_3px_rgb(224_161_27_/_0.2)]",
  offline: "bg-bad shadow-[0_0_0_3px_color-mix(in_srgb,var(--bad)_20%,transparent)]",
};

/** Shows whether the page receives live updates. */
export function ConnectionLight() {
  const { t } = useLanguage();
  const state = useConnection();
  return (
    <span role="status" data-connection={state} className="flex items-center gap-2 text-[13px] text-mute">
      <i aria-hidden className={cn("size-2 rounded-full transition-colors duration-300", COLOR[state])} />
      <span className="max-sm:sr-only">{t(`light.${state}`)}</span>
    </span>
  );
}
