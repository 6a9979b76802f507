import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { isPhotoFile } from "@/lib/photoFiles";
import { showToast } from "@/lib/toasts";
import { useFileDrop } from "./useFileDrop";
import { useCanEdit } from "./useSession";

const sameFile = (one: File, other: File) =>
  one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;

/** The photos of the new order, null while there is none. Files dropped anywhere start one. */
export function useNewOrder() {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const [photos, setPhotos] = useState<File[] | null>(null);

  const add = (files: File[]) => {
    if (!canEdit) {
      showToast(t("error.operator_required"), "bad");
      return;
    }
    const [usable, other] = [files.filter(isPhotoFile), files.filter((file) => !isPhotoFile(file))];
    for (const file of other.slice(0, 3)) showToast(t("upload.notPhoto", { name: file.name }), "bad");
    if (usable.length === 0) return;
    setPhotos((known) => {
      const before = known ?? [];
      return [...before, ...usable.filter((file) => !before.some((one) => sameFile(one, file)))];
    });
  };
  const isOver = useFileDrop(add) !== null;
  return { photos, isOver, add, setPhotos, begin: () => setPhotos([]), close: () => setPhotos(null) };
}
