import { useRef, useState } from "react";
import { useExtent } from "@/components/order/usePictureSizes";
import { fit, type Size } from "@/components/order/zoom";
import { useLanguage } from "@/i18n/context";
import { pictureStyle, smallestCrop, turnedSize, type Crop, type PhotoEdit } from "@/lib/photoEdit";
import { CropFrame } from "./CropFrame";

interface PhotoStageProps {
  url: string;
  name: string;
  edit: PhotoEdit;
  size: Size | undefined;
  onSize: (size: Size) => void;
  onCrop: (crop: Crop) => void;
}

/** The edited photo as it will be stored, with the crop over it. */
export function PhotoStage({ url, name, edit, size, onSize, onCrop }: PhotoStageProps) {
  const { t } = useLanguage();
  const [isBroken, setBroken] = useState(false);
  const room = useRef<HTMLDivElement>(null);
  const extent = useExtent(room, undefined);
  const frame = size && fit(turnedSize(edit, size), extent.frame);
  return (
    <div ref={room} className="relative grid size-full place-items-center">
      {isBroken && <p role="alert">{t("detail.picture.broken")}</p>}
      {!isBroken && !frame && <p className="animate-breathe">{t("photo.loading")}</p>}
      <div className="relative" style={frame ?? { width: 0, height: 0 }}>
        <div data-preview className="absolute inset-0 overflow-hidden">
          <img
            src={url}
            alt={name}
            draggable={false}
            className="absolute top-1/2 left-1/2 max-w-none"
            style={size && frame && pictureStyle(edit, size, frame)}
            onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) =>
              onSize({ width, height })
            }
            onError={() => setBroken(true)}
          />
          {frame && <Shade crop={edit.crop} />}
        </div>
        {size && frame && (
          <CropFrame crop={edit.crop} frame={frame} least={smallestCrop(edit, size)} onChange={onCrop} />
        )}
      </div>
    </div>
  );
}

/** Darkens what the crop leaves out. */
function Shade({ crop }: { crop: Crop }) {
  const { left, top, width, height } = crop;
  const sides = { left, top, width, height };
  const style = Object.fromEntries(Object.entries(sides).map(([side, value]) => [side, `${value * 100}%`]));
  return <div data-shade className="absolute shadow-[0_0_0_4000px_rgb(20_18_15/0.6)]" style={style} />;
}
