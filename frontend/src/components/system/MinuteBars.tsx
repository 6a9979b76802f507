import { useState, type PointerEvent } from "react";
import { useLanguage } from "@/i18n/context";
import { formatClock } from "@/lib/dates";
import type { Hour } from "@/lib/system";
import { barsOf } from "./bars";

const HEIGHT = 100;
const MINUTE_MS = 60_000;
const BAR_WIDTH = 0.68;

/** The minute under the pointer, null for none. */
function usePointedAt(count: number) {
  const [minute, setMinute] = useState<number | null>(null);
  const onPointerMove = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * count);
    setMinute(Math.min(Math.max(index, 0), count - 1));
  };
  return { minute, onPointerMove, onPointerLeave: () => setMinute(null) };
}

/** The bars: completed above the line, failed below it, so that the distinction does not rely on color. */
function Drawing({ minutes, pointed }: { minutes: Hour["minutes"]; pointed: number | null }) {
  const { bars, line } = barsOf(minutes.completed, minutes.failed);
  const gap = (1 - BAR_WIDTH) / 2;
  return (
    <svg
      viewBox={`0 0 ${minutes.completed.length} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden
      className="h-20 w-full"
    >
      {pointed !== null && <rect x={pointed} y={0} width={1} height={HEIGHT} className="fill-soft" />}
      {bars.map(({ minute, up, down }) => (
        <g key={minute}>
          <rect
            x={minute + gap}
            y={(line - up) * HEIGHT}
            width={BAR_WIDTH}
            height={up * HEIGHT}
            className="fill-ink"
          />
          <rect
            x={minute + gap}
            y={line * HEIGHT}
            width={BAR_WIDTH}
            height={down * HEIGHT}
            className="fill-bad"
          />
        </g>
      ))}
      <line
        x1={0}
        x2={minutes.completed.length}
        y1={line * HEIGHT}
        y2={line * HEIGHT}
        vectorEffect="non-scaling-stroke"
        className="stroke-line"
      />
    </svg>
  );
}

/** A bar chart of an hour by minute; a text describes the minute under the pointer. */
export function MinuteBars({ hour, label }: { hour: Hour; label: string }) {
  const { t } = useLanguage();
  const { minutes } = hour;
  const { minute, ...pointer } = usePointedAt(minutes.completed.length);
  const describe = (index: number) =>
    t("system.hour.minute", {
      time: formatClock(Date.parse(minutes.begin) + index * MINUTE_MS),
      completed: minutes.completed[index] ?? 0,
      failed: minutes.failed[index] ?? 0,
    });
  return (
    <figure className="mt-3">
      <div role="img" aria-label={label} className="touch-pan-y" {...pointer}>
        <Drawing minutes={minutes} pointed={minute} />
      </div>
      <figcaption className="mt-1 flex justify-between gap-3 text-xs text-mute tabular-nums">
        <span>{t("system.hour.ago")}</span>
        <span>
          {minute === null
            ? t("system.hour.peak", { count: Math.max(...minutes.completed) })
            : describe(minute)}
        </span>
        <span>{t("system.hour.now")}</span>
      </figcaption>
    </figure>
  );
}
