"""ECG, EEG and speech from raw recording to trustworthy answer with long short-term memory networks."""
