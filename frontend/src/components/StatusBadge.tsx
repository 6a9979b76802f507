import { useEffect, useRef, useState } from "react";
import { useLanguage } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import { cn } from "@/lib/cn";
import { getColoringStatusDisplay, getOrderStatusDisplay, getSvgStatusDisplay } from "@/types";

const DISPLAY = {
  coloring: getColoringStatusDisplay,
  svg: getSvgStatusDisplay,
  order: getOrderStatusDisplay,
} as const;

interface StatusBadgeProps {
  kind: keyof typeof DISPLAY;
  status: string;
  /** A user cancelled it: not an error, although its status is. */
  cancelled?: boolean;
  /** Without color. */
  isSilent?: boolean;
  className?: string;
}

/** Counts the changes of `status`, so that each one restarts the highlight. */
function useChanges(status: string): number {
  const [changes, setChanges] = useState(0);
  const former = useRef(status);
  useEffect(() => {
    if (former.current !== status) setChanges((count) => count + 1);
    former.current = status;
  }, [status]);
  return changes;
}

/** A status with the plan's label and colors; a change fades in and is highlighted for a moment. */
export function StatusBadge({
  kind,
  status,
  cancelled = false,
  isSilent = false,
  className,
}: StatusBadgeProps) {
  const { t } = useLanguage();
  const changes = useChanges(status);
  const display = DISPLAY[kind](status);
  const key = cancelled ? "detail.badge.cancelled" : `${kind}.${status}`;
  return (
    <span
      data-status={status}
      className={cn(
        "status-badge relative inline-flex items-center rounded-full text-xs whitespace-nowrap",
        isSilent ? "text-mute" : "px-2.5 py-0.5 font-medium",
        !isSilent && (cancelled ? "bg-gray-100 text-gray-800" : display.color),
        className,
      )}
    >
      {changes > 0 && (
        <i key={changes} aria-hidden className="absolute inset-0 animate-highlight rounded-full" />
      )}
      {isTextKey(key) ? t(key) : display.label}
    </span>
  );
}
