interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: { value: T; text: string }[];
  onChoose: (value: T) => void;
}

/** One of a few values, with its label. */
export function Choice<T extends string>({ label, value, choices, onChoose }: ChoiceProps<T>) {
  return (
    <label className="flex items-center gap-2 text-[13px] text-mute">
      {label}
      <select
        value={value}
        onChange={(event) => {
          const chosen = choices.find((choice) => choice.value === event.target.value);
          if (chosen) onChoose(chosen.value);
        }}
        className="h-9 rounded-[9px] border border-line bg-card px-2 text-ink"
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.text}
          </option>
        ))}
      </select>
    </label>
  );
}
