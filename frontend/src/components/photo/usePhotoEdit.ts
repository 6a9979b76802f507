import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage } from "@/i18n/context";
import { failureSentence, isChangedMeanwhile } from "@/lib/failure";
import { orderKey } from "@/lib/orderQuery";
import { isSameEdit, type PhotoEdit } from "@/lib/photoEdit";
import { fetchPhotoEdit, savePhotoEdit, type ReadPhotoEdit } from "@/lib/photoEditApi";

/** A photo while it is edited. */
export interface EditedPhoto {
  /** The edit as it was read. */
  read: ReadPhotoEdit;
  /** The parameters on the screen. */
  edit: PhotoEdit;
  /** Another person saved this edit meanwhile. */
  other: PhotoEdit | undefined;
  failure: string | undefined;
}

const unchanged = (read: ReadPhotoEdit): EditedPhoto => ({
  read,
  edit: read.state.edit,
  other: undefined,
  failure: undefined,
});

/** The edit of a photo: read when the editor opens, and saved unless another person changed it meanwhile. */
export function usePhotoEdit(orderNumber: string, imageId: number, onSaved: () => void) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: ["photo-edit", orderNumber, imageId],
    queryFn: () => fetchPhotoEdit(orderNumber, imageId),
    // Read once for each time the editor opens: what another person saves meanwhile is a conflict.
    staleTime: Infinity,
    gcTime: 0,
  });
  const [changed, setChanged] = useState<EditedPhoto>();
  const [busy, setBusy] = useState(false);
  const now = changed ?? (data && unchanged(data));

  /** What another person saved is shown beside the own parameters, which stay. */
  const reread = async (mine: EditedPhoto): Promise<EditedPhoto> => {
    const read = await fetchPhotoEdit(orderNumber, imageId);
    const other = isSameEdit(read.state.edit, mine.read.state.edit) ? undefined : read.state.edit;
    return { ...mine, read, other, failure: other ? undefined : t("photo.replaced") };
  };
  const save = async (mine: EditedPhoto): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      await savePhotoEdit(orderNumber, mine.read, mine.edit);
      await queries.invalidateQueries({ queryKey: orderKey(orderNumber) });
      onSaved();
    } catch (failed) {
      const next = isChangedMeanwhile(failed) ? await reread(mine).catch((other: unknown) => other) : failed;
      setChanged(isEdited(next) ? next : { ...mine, failure: failureSentence(next, t) });
    }
    setBusy(false);
  };
  return {
    now,
    loadError: data ? null : error,
    busy,
    load: () => void refetch(),
    save: (mine: EditedPhoto) => void save(mine),
    /** While it is saved, nothing is changed: it would be lost with the editor. */
    change: (next: (edit: PhotoEdit) => PhotoEdit) => {
      if (!busy && data) setChanged((before = unchanged(data)) => ({ ...before, edit: next(before.edit) }));
    },
    /** Discard the own parameters for the other person's. */
    takeOver: () =>
      setChanged((before) => before?.other && { ...before, edit: before.other, other: undefined }),
  };
}

const isEdited = (value: unknown): value is EditedPhoto =>
  typeof value === "object" && value !== null && "edit" in value;
