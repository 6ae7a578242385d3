# SPDX-License-Identifier: EUPL-1.2
"""What a data-protection officer does with a copy of her country's log, on her own machine.

`opened` reads entries with their details, `index` makes them searchable under her own key,
`queries` looks up, `columnar` makes monthly files for whole-log reports, `ocsf` exports without
identities, `reports` and `disclosures` write what the law asks for. Nothing here trusts the
operator: a copy is proved by `audit.verify`, and what stands here is derived from it and can be
made again. docs/review.md; docs/formats/review-index.md.
"""
