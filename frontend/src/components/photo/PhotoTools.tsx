import { useId } from "react";
import { Icon } from "@/components/Icon";
import type { Size } from "@/components/order/zoom";
import { fit } from "@/components/order/zoom";
import { useLanguage } from "@/i18n/context";
import {
  enlargedCrop,
  isSameEdit,
  MAX_STRAIGHTEN,
  MAX_TONE,
  NO_EDIT,
  pictureStyle,
  smallestCrop,
  turnedBy,
  turnedSize,
  WHOLE,
  type PhotoEdit,
} from "@/lib/photoEdit";
import type { EditedPhoto, usePhotoEdit } from "./usePhotoEdit";

interface PhotoToolsProps {
  now: EditedPhoto;
  photo: ReturnType<typeof usePhotoEdit>;
  /** Of the original; undefined until it is loaded. */
  size: Size | undefined;
  onCancel: () => void;
}

/** The parameters of the edit beside the photo, and what becomes of them. */
export function PhotoTools({ now, photo, size, onCancel }: PhotoToolsProps) {
  const { t, formatNumber } = useTexts();
  const { edit } = now;
  const isChanged = !isSameEdit(edit, now.read.state.edit);
  const set = (values: Partial<PhotoEdit>): void => photo.change((before) => ({ ...before, ...values }));
  const straighten = (degrees: number): void =>
    photo.change((before) => {
      const next = { ...before, straighten: degrees };
      return size ? { ...next, crop: enlargedCrop(next.crop, smallestCrop(next, size)) } : next;
    });
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap gap-2">
        {(["left", "right"] as const).map((side) => (
          <button
            key={side}
            type="button"
            className="button button-small"
            onClick={() => photo.change((before) => turnedBy(before, side))}
          >
            <Icon name={side === "left" ? "turnLeft" : "turnRight"} />
            {t(`photo.turn.${side}`)}
          </button>
        ))}
        <button
          type="button"
          className="button button-small"
          disabled={isSameEdit(edit, { ...edit, crop: WHOLE })}
          onClick={() => set({ crop: WHOLE })}
        >
          {t("photo.crop.whole")}
        </button>
      </div>
      <Slider
        label={t("photo.straighten")}
        value={edit.straighten}
        shown={`${formatNumber(edit.straighten)}°`}
        max={MAX_STRAIGHTEN}
        step={0.1}
        onChange={straighten}
      />
      {(["brightness", "contrast"] as const).map((name) => (
        <Slider
          key={name}
          label={t(`photo.${name}`)}
          value={edit[name]}
          shown={formatNumber(edit[name])}
          max={MAX_TONE}
          step={1}
          onChange={(value) => set({ [name]: value })}
        />
      ))}
      {now.other && <Conflict now={now} other={now.other} size={size} onTakeOver={photo.takeOver} />}
      {now.failure !== undefined && (
        <p role="alert" className="rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
          {now.failure}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <button
          type="button"
          className="button button-primary aria-disabled:opacity-50"
          aria-disabled={photo.busy || size === undefined}
          onClick={() => size && photo.save(now)}
        >
          {t(photo.busy ? "photo.saving" : now.other ? "photo.saveMine" : "photo.save")}
        </button>
        <button type="button" className="button" onClick={onCancel}>
          {t(isChanged ? "action.cancel" : "action.close")}
        </button>
        <button
          type="button"
          className="button"
          disabled={isSameEdit(edit, NO_EDIT)}
          onClick={() => photo.change(() => NO_EDIT)}
        >
          {t("photo.reset")}
        </button>
      </div>
      <p className="text-[13px] text-mute">{t("photo.hint")}</p>
    </div>
  );
}

function useTexts() {
  const { t, language } = useLanguage();
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: 1, signDisplay: "exceptZero" });
  return { t, formatNumber: (value: number) => format.format(value) };
}

interface SliderProps {
  label: string;
  value: number;
  shown: string;
  max: number;
  step: number;
  onChange: (value: number) => void;
}

/** A slider from `-max` to `max`; a double click sets it to the middle. */
function Slider({ label, value, shown, max, step, onChange }: SliderProps) {
  const id = useId();
  return (
    <div>
      <div className="mb-1 flex justify-between text-[13px]">
        <label htmlFor={id} className="text-mute">
          {label}
        </label>
        <output htmlFor={id} className="tabular-nums">
          {shown}
        </output>
      </div>
      <input
        id={id}
        type="range"
        min={-max}
        max={max}
        step={step}
        value={value}
        aria-valuetext={shown}
        className="h-6 w-full accent-accent"
        onChange={(event) => onChange(Math.round(event.target.valueAsNumber / step) * step)}
        onDoubleClick={() => onChange(0)}
      />
    </div>
  );
}

interface ConflictProps {
  now: EditedPhoto;
  other: PhotoEdit;
  size: Size | undefined;
  onTakeOver: () => void;
}

const SMALL = { width: 240, height: 160 };

/** What another person saved meanwhile, beside the own edit, of which nothing is lost. */
function Conflict({ now, other, size, onTakeOver }: ConflictProps) {
  const { t } = useLanguage();
  const frame = size && fit(turnedSize(other, size), SMALL);
  const { left, top, width, height } = other.crop;
  const inset = [top, 1 - left - width, 1 - top - height, left].map((side) => `${side * 100}%`).join(" ");
  return (
    <div role="alert" className="grid gap-2 rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
      <p className="font-semibold">{t("photo.conflict")}</p>
      {size && frame && (
        <div className="relative overflow-hidden" style={{ ...frame, clipPath: `inset(${inset})` }}>
          <img
            src={now.read.state.original_url ?? ""}
            alt={t("photo.conflict.other")}
            className="absolute top-1/2 left-1/2 max-w-none"
            style={pictureStyle(other, size, frame)}
          />
        </div>
      )}
      <button type="button" className="button button-small justify-self-start" onClick={onTakeOver}>
        {t("photo.takeOver")}
      </button>
    </div>
  );
}
