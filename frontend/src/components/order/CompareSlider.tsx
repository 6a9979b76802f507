import { Picture } from "./Picture";
import { Wipe } from "./Wipe";

interface CompareSliderProps {
  photo: string;
  page: string;
  photoAlt: string;
  pageAlt: string;
}

/** The comparison on a card: thumbnails of the photo over its page. */
export function CompareSlider({ photo, page, photoAlt, pageAlt }: CompareSliderProps) {
  return (
    <Wipe
      photo={<Picture src={photo} alt={photoAlt} small />}
      page={<Picture src={page} alt={pageAlt} small />}
      initial={100}
      ground="bg-white"
      className="touch-pan-y"
    />
  );
}
