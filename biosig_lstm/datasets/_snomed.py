"""The SNOMED CT codes that the PhysioNet/CinC Challenges of 2020 and 2021 label recordings with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ABBREVIATIONS", "EQUIVALENT"]

_SCORED = {
    "164889003": "AF", "164890007": "AFL", "6374002": "BBB", "426627000": "Brady", "733534002": "CLBBB",
    "713427006": "CRBBB", "270492004": "IAVB", "713426002": "IRBBB", "39732003": "LAD", "445118002": "LAnFB",
    "164909002": "LBBB", "251146004": "LQRSV", "698252002": "NSIVCB", "426783006": "NSR", "284470004": "PAC",
    "10370003": "PR", "365413008": "PRWP", "427172004": "PVC", "164947007": "LPR", "111975006": "LQT",
    "164917005": "QAb", "47665007": "RAD", "59118001": "RBBB", "427393009": "SA", "426177001": "SB",
    "427084000": "STach", "63593006": "SVPB", "164934002": "TAb", "59931005": "TInv", "17338001": "VPB",
}  # fmt: skip
_UNSCORED = {
    "233892002": "AAR", "164951009": "abQRS", "251187003": "AED", "61277005": "AIVR", "426664006": "AJR",
    "251139008": "ALR", "57054005": "AMI", "413444003": "AMIs", "426434006": "AnMIs", "54329005": "AnMI",
    "251173003": "AB", "195080001": "AFAFL", "195126007": "AH", "251268003": "AP", "106068003": "ARH",
    "713422000": "ATach", "233917008": "AVB", "50799005": "AVD", "29320008": "AVJR", "251166008": "AVNRT",
    "233897008": "AVRT", "251170000": "BPAC", "418818005": "BRU", "74615001": "BTS", "426749004": "CAF",
    "251199005": "CCR", "61721007": "CVCL/CCVCL", "698247007": "CD", "27885002": "CHB", "204384007": "CIAHB",
    "53741008": "CHD", "413844008": "CMI", "251198002": "CR", "82226007": "DIB", "428417006": "ERe", "13640000": "FB",
    "164942001": "FQRS", "84114007": "HF", "368009": "HVD", "251259000": "HTV", "251200008": "ICA",
    "195042002": "IIAVB", "426183003": "IIAVBII", "425419005": "IIs", "251120003": "ILBBB", "704997005": "ISTD",
    "49260003": "IR", "426995002": "JE", "251164006": "JPC", "426648003": "JTach", "253352002": "LAA",
    "67741000119109": "LAE", "446813000": "LAH", "425623009": "LIs", "445211001": "LPFB", "164873001": "LVH",
    "55827005": "LVHV", "370365005": "LVS", "164865005": "MI", "164861001": "MIs", "54016002": "MoI",
    "428750005": "NSSTTA", "164867002": "OldMI", "282825002": "PAF", "251205003": "PPW", "67198005": "PSVT",
    "425856008": "PVT", "164912004": "PWC", "253339007": "RAAb", "164921003": "RAb", "446358003": "RAH",
    "67751000119106": "RAHV", "314208002": "RAF", "89792004": "RVH", "17366009": "SAAWR", "65778007": "SAB",
    "5609005": "SARR", "60423000": "SND", "49578007": "SPRI", "77867006": "SQT", "55930002": "STC",
    "429622005": "STD", "164931005": "STE", "164930006": "STIAb", "251168009": "SVB", "426761007": "SVT",
    "266257000": "TIA", "251223006": "TPW", "164937009": "UAb", "11157007": "VBig", "164884008": "VEB",
    "75532003": "VEsB", "81898007": "VEsR", "164896001": "VF", "111288001": "VFL", "266249003": "VH",
    "195060002": "VPEx", "251266004": "VPP", "251182009": "VPVC", "164895002": "VTach", "251180001": "VTrig",
    "195101003": "WAP", "74390002": "WPW",
}  # fmt: skip

ABBREVIATIONS: Mapping[str, str] = MappingProxyType(_SCORED | _UNSCORED)
"""The challenge's abbreviation of each of its 133 codes.

After dx_mapping_scored.csv and dx_mapping_unscored.csv of github.com/physionetchallenges/evaluation-2021."""

EQUIVALENT: Mapping[str, str] = MappingProxyType({"CLBBB": "LBBB", "CRBBB": "RBBB", "SVPB": "PAC", "VPB": "PVC"})
"""Abbreviations that the challenge scores as one diagnosis with another, and that other."""
