import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { dismissToast, useToasts, type Toast } from "@/lib/toasts";
import { Icon } from "./Icon";

function ToastCard({ toast }: { toast: Toast }) {
  const { t } = useLanguage();
  return (
    <li
      className={cn(
        "flex animate-appear items-start gap-3 rounded-xl border p-3 pl-4 shadow-float",
        toast.tone === "bad" ? "border-bad/40 bg-bad-soft text-bad" : "border-line bg-card",
      )}
    >
      <span className="flex-1 py-1">{toast.text}</span>
      {toast.action && (
        <button type="button" className="button button-small shrink-0" onClick={toast.action.run}>
          {toast.action.text}
        </button>
      )}
      <button
        type="button"
        className="icon-button shrink-0"
        aria-label={t("action.close")}
        onClick={() => dismissToast(toast.id)}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

/** Temporary messages in a live region, above a floating bar at the bottom (`data-floating`). */
export function Toasts() {
  const { t } = useLanguage();
  const toasts = useToasts();
  return (
    <section
      aria-label={t("toast.label")}
      aria-live="polite"
      className="pointer-events-none fixed inset-x-4 bottom-4 z-50 in-[body:has([data-floating])]:bottom-32 sm:in-[body:has([data-floating])]:bottom-20"
    >
      <ol className="pointer-events-auto mx-auto flex max-w-md flex-col gap-2">
        {toasts.map((toast) => (
          <ToastCard key={toast.id} toast={toast} />
        ))}
      </ol>
    </section>
  );
}
