// Wherever somebody is with one parcel: a scan of the next one's label leads to it.
import { listen } from "./hand/wedge.js";

listen((text) => location.assign(`/returns/scan?code=${encodeURIComponent(text)}`));
