import { useLanguage } from "@/i18n/context";
import { chooseNotifications, useNotificationChoice } from "@/lib/notifications";
import { cn } from "@/lib/cn";
import { showToast } from "@/lib/toasts";
import { Icon } from "./Icon";

/** Turns desktop notifications on and off; not shown where the browser has none. */
export function NotificationSwitch() {
  const { t } = useLanguage();
  const choice = useNotificationChoice();
  if (choice === "unavailable") return null;
  const label = t("arrival.switch");
  const choose = async () => {
    const isForbidden = await chooseNotifications(choice === "on" ? "off" : "on");
    if (isForbidden) showToast(t("arrival.forbidden"), "bad");
  };
  return (
    <button
      type="button"
      className={cn("icon-button max-sm:hidden", choice === "on" && "bg-soft text-ink")}
      aria-label={label}
      aria-pressed={choice === "on"}
      title={label}
      onClick={() => void choose()}
    >
      <Icon name="bell" className="size-[18px]" />
    </button>
  );
}
